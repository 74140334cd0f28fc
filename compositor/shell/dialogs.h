#pragma once

#include <set>

#include "compositor/wlr/wlroots.h"

namespace vitrine {

/**
 * xdg-dialog-v1: which windows are modal dialogs.
 *
 * The hint is in the JSON of `vitrinectl windows`. The parent of a modal dialog still gets input: the protocol has clients filter it.
 */
class Dialogs {
public:
  explicit Dialogs(wl_display& display);
  Dialogs(const Dialogs&) = delete;
  Dialogs& operator=(const Dialogs&) = delete;
  ~Dialogs() { wl_global_destroy(global_); }

private:
  struct Dialog;
  static void bind(wl_client* client, void* data, uint32_t version, uint32_t id);
  void create(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* toplevel);

  std::set<const wlr_xdg_toplevel*> withDialog_; ///< those that have an xdg_dialog_v1
  wl_global* global_;
};

} // namespace vitrine
