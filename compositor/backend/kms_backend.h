#pragma once

#include <memory>
#include <vector>

#include "compositor/backend/kms_output.h"
#include "compositor/wlr/listener.h"

namespace vitrine {

/** Our KMS as a wlr_backend: one device, an output for each connected connector. */
class KmsBackend {
  wlr_backend base_{}; ///< first of all members: from() casts

public:
  /**
   * Opens the first KMS device of the session that has a connector and is atomic. Missing where there is none; the text lists what
   * was tried. The backend destroys itself with its wlr_backend (wlr_backend_destroy, or the multi backend).
   */
  [[nodiscard]] static Result<KmsBackend*> create(wlr_session& session, wl_event_loop& loop);

  [[nodiscard]] wlr_backend* base() { return &base_; }
  [[nodiscard]] KmsDevice& device() { return *device_; }
  /**
   * Reads the connectors again and adds and removes outputs. A connector with another monitor behind it is a new output. Ends with
   * onOutputsChanged.
   */
  void rescan(KmsDevice::Probe probe = KmsDevice::Probe::All, uint32_t connector = 0);
  /** Outputs have come, gone, or need a new modeset. */
  std::function<void()> onOutputsChanged;

private:
  KmsBackend(wlr_session& session, wl_event_loop& loop, wlr_device& sessionDevice, std::unique_ptr<KmsDevice> device);
  ~KmsBackend();
  static KmsBackend& from(wlr_backend* backend) { return *reinterpret_cast<KmsBackend*>(backend); }
  static const wlr_backend_impl impl;
  void addOutputs();
  void followProperties(uint32_t connectorId);
  [[nodiscard]] uint32_t usableCrtcs() const;
  [[nodiscard]] std::vector<Plane> planesOf(const Crtc& crtc) const;
  void sharePlanes();
  void sharePlanesLater();
  void dispatch();
  void loseDevice();

  wlr_session& session_;
  wl_event_loop& loop_;
  wlr_device& sessionDevice_;
  std::unique_ptr<KmsDevice> device_;
  wl_event_source* events_ = nullptr;
  /** Owned by wlroots' destroy call; listed to find them by CRTC and connector. */
  std::vector<KmsOutput*> outputs_;
  // Per CRTC: its primary and its cursor plane, or null. Per plane of the device: the CRTC that has it as an overlay.
  std::vector<const Plane*> primaries_;
  std::vector<const Plane*> cursors_;
  std::vector<std::optional<uint32_t>> overlayOwners_;
  wl_event_source* shareLater_ = nullptr;
  bool awaitsRelease_ = false; ///< an overlay goes to another CRTC once its present one has turned it off
  Listener<wlr_device_change_event> deviceChanged_;
  Listener<void> deviceRemoved_;
  Listener<void> sessionGone_;
  bool sessionIsGone_ = false;
  bool started_ = false;
};

} // namespace vitrine
