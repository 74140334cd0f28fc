#pragma once

#include <functional>
#include <list>

#include "compositor/protocols/surface_protection.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/**
 * weston_content_protection: clients say which HDCP their surface needs, and learn which it has. XML from libweston 14.
 *
 * The requirement is part of requirementsOf(): in the mode `enforce` content is the placeholder where it is not met; in the mode `relax`
 * HDCP is only tried for, and the client adapts.
 */
class WestonContentProtection {
public:
  /** The lowest HDCP of the outputs that a surface is on; of all outputs if it is on none. */
  using StatusOf = std::function<Hdcp(wlr_surface&)>;
  WestonContentProtection(wl_display& display, StatusOf statusOf);
  WestonContentProtection(const WestonContentProtection&) = delete;
  WestonContentProtection& operator=(const WestonContentProtection&) = delete;
  ~WestonContentProtection();

  /** Outputs, their HDCP, or what is on which of them may have changed. Tells clients what is new for them. */
  void update();
  /** The same for one surface. */
  void update(wlr_surface& surface);

private:
  struct Surface;
  static const wlr_addon_interface addonImpl;
  friend void addContentProtection(wlr_surface& surface, ProtectionRequirements& requirements);
  static void bind(wl_client* client, void* data, uint32_t version, uint32_t id);
  static void getProtection(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* surface);

  wl_global* global_;
  StatusOf statusOf_;
  std::list<Surface*> surfaces_; ///< each is owned by its wl_resource
};

/** Tightens requirements by those that the surface has committed through weston_content_protection. */
void addContentProtection(wlr_surface& surface, ProtectionRequirements& requirements);

} // namespace vitrine
