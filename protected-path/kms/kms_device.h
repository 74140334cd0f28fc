#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protected-path/base/clock.h"
#include "protected-path/base/unique_fd.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/kms/kms_object.h"

namespace vitrine {

/** One completed page flip (DRM_EVENT_FLIP_COMPLETE). */
struct FlipEvent {
  uint32_t crtcId = 0;
  uint32_t sequence = 0;     ///< vblank counter
  Nanoseconds timestamp = 0; ///< CLOCK_MONOTONIC where DRM_CAP_TIMESTAMP_MONOTONIC
  uint64_t userData = 0;     ///< as given to AtomicRequest::commit
};

/**
 * A KMS device with universal planes and atomic modesetting, and the objects it has.
 *
 * Thread: one. Objects keep their addresses until rescan().
 */
class KmsDevice {
public:
  /**
   * Takes the fd (from a session, which keeps mastership) and reads every object.
   * Missing where the driver is not atomic or lacks PRIME import.
   */
  [[nodiscard]] static Result<std::unique_ptr<KmsDevice>> open(UniqueFd fd, std::string node);
  /** Nodes of KMS devices (/dev/dri/card*) that have at least one connector, in the kernel's order. */
  [[nodiscard]] static std::vector<std::string> listNodes();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& node() const { return node_; }
  [[nodiscard]] const std::string& driverName() const { return driverName_; }
  [[nodiscard]] dev_t deviceNumber() const { return deviceNumber_; }
  [[nodiscard]] bool hasModifiers() const { return hasModifiers_; } ///< DRM_CAP_ADDFB2_MODIFIERS
  [[nodiscard]] const std::vector<Plane>& planes() const { return planes_; }
  [[nodiscard]] const std::vector<Crtc>& crtcs() const { return crtcs_; }
  [[nodiscard]] const std::vector<Connector>& connectors() const { return connectors_; }

  /**
   * A number that changes with each modeset of any output and each hotplug: what TEST_ONLY said before may not hold any
   * more, since outputs share bandwidth and clocks.
   */
  [[nodiscard]] uint64_t epoch() const { return epoch_; }
  void beginEpoch() const { ++epoch_; } ///< AtomicRequest's part

  /** How much of a rescan the hardware is asked, which may take hundreds of milliseconds per connector. */
  enum class Probe : uint8_t { All, One, None };
  /**
   * Reads connectors again after a uevent: all are listed, and probed as `probe` says (One: the connector `id` and those that are
   * new). Planes and CRTCs do not change in a device's life.
   */
  [[nodiscard]] Result<> rescanConnectors(Probe probe = Probe::All, uint32_t id = 0);
  /**
   * Reads the values of a connector's properties again, after a uevent that names one of them (PROPERTY=). One call; nothing is probed.
   * Errors: Missing (no such connector), System with the kernel's errno.
   */
  [[nodiscard]] Result<> rereadProperties(uint32_t connectorId);

  /** Reads pending events and calls `handler` for each flip; returns when there is none left. Allocates nothing. */
  [[nodiscard]] Result<> dispatchEvents(const std::function<void(const FlipEvent&)>& handler);

  /**
   * A linear scanout buffer of ordinary memory (DRM_IOCTL_MODE_CREATE_DUMB, exported as a dma-buf). `fourcc` is a
   * 32-bit RGB format. For composed output and cursors. `rowMultiple`: memory for the height
   * rounded up to it, for renderers that write past the last row (VulkanDeviceReport::targetRowMultiple).
   */
  [[nodiscard]] Result<Dmabuf> createDumbBuffer(Size size, uint32_t fourcc, uint32_t rowMultiple = 1) const;

private:
  KmsDevice(UniqueFd fd, std::string node);
  Result<> readCapabilities();
  Result<> readObjects();
  UniqueFd fd_;
  std::string node_;
  std::string driverName_;
  dev_t deviceNumber_ = 0;
  bool hasModifiers_ = false;
  mutable uint64_t epoch_ = 0;
  std::vector<Plane> planes_;
  std::vector<Crtc> crtcs_;
  std::vector<Connector> connectors_;
};

} // namespace vitrine
