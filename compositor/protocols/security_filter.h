#pragma once

#include "compositor/protocols/global_policy.h"
#include "compositor/wlr/listener.h"
#include "compositor/wlr/wlroots.h"

namespace vitrine {

/**
 * security-context-v1, and the filter of globals behind it: a client that came through a sandbox's socket sees only the globals that
 * sandboxMaySee() lets it. Every new context is in the audit log; each global that is withheld is in the log at debug.
 */
class SecurityFilter {
public:
  /** The first global of a display, so that the filter is there before any other. */
  SecurityFilter(wl_display& display, SecuritySettings settings);
  SecurityFilter(const SecurityFilter&) = delete;
  SecurityFilter& operator=(const SecurityFilter&) = delete;
  ~SecurityFilter();

  /** The X server as a client; null while there is none. Without a function there never is. */
  std::function<const wl_client*()> xServer;

  /** Counts for clients that connect from now on, and for globals that are bound from now on. */
  void setSettings(SecuritySettings settings) { settings_ = std::move(settings); }

private:
  [[nodiscard]] bool allows(const wl_client& client, const wl_global& global) const;
  wl_display& display_;
  SecuritySettings settings_;
  wlr_security_context_manager_v1* contexts_;
  Listener<wlr_security_context_v1_commit_event> commit_;
};

} // namespace vitrine
