#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compositor/render/dmabuf_buffer.h"
#include "protected-path/kms/kms_pipe.h"
#include "protected-path/policy/policy.h"

namespace vitrine {

/** One frame that reached the panel. */
struct Presented {
  uint32_t commitSequence = 0; ///< wlr_output.commit_seq of its commit
  FlipEvent flip;
};

/**
 * The pipe of a connector as a wlr_output.
 *
 * wlroots never sees what is on the panel: modes and frames go to the kernel through the pipe. The wlr_output commit that follows
 * tells wlroots about it, without a buffer: captures draw their own (R5).
 */
class KmsOutput {
  wlr_output base_{}; ///< first of all members: from() casts

public:
  KmsOutput(KmsDevice& device, const Connector& connector, const Crtc& crtc, std::vector<Plane> planes,
            wlr_backend& backend, wl_event_loop& loop);
  KmsOutput(const KmsOutput&) = delete;

  [[nodiscard]] wlr_output* base() { return &base_; }
  [[nodiscard]] static KmsOutput* from(wlr_output* output);
  [[nodiscard]] KmsDevice& device() { return device_; }
  [[nodiscard]] KmsPipe& pipe() { return pipe_; }
  [[nodiscard]] const Crtc& crtc() const { return pipe_.crtc(); }
  [[nodiscard]] const Connector& connector() const { return pipe_.connector(); }
  [[nodiscard]] OutputKind kind() const;

  /** wlroots' counterpart of a mode of the connector; null where it has no such mode. */
  [[nodiscard]] wlr_output_mode* wlrMode(const Mode& mode);

  /** TEST_ONLY of a frame. */
  [[nodiscard]] Result<> test(const KmsFrame& frame) { return pipe_.test(frame); }
  /** As KmsPipe::submit(). onPresented is called at the flip. */
  [[nodiscard]] Result<> submit(KmsFrame& frame) { return pipe_.submit(frame); }
  /** Tells which wlr_output commit the submitted frame belongs to. */
  void setCommitSequence(uint32_t sequence) { pendingSequence_ = sequence; }
  [[nodiscard]] bool flipPending() const { return pipe_.flipPending(); }

  /** The connector has been read again. */
  void setConnector(const Connector& connector);
  /** Gives the pipe other planes (KmsPipe::setPlanes) and has the output plan its next frame for them. */
  void setPlanes(std::vector<Plane> planes);

  /** How many layers of the last frame can be shown on planes alone: their output gets shared planes before others. */
  void setMandatoryLayers(unsigned count);
  [[nodiscard]] unsigned mandatoryLayers() const { return mandatoryLayers_; }

  std::function<void(const Presented&)> onPresented;
  std::function<void()> onDemandChanged;    ///< for the backend: mandatoryLayers() is another number
  std::function<void()> onPlanesChanged;    ///< the planes of the pipe are others
  std::function<void()> onConnectorChanged; ///< the connector was read again, and may have another state (HDCP)
  std::function<void()> onGone;             ///< for the output's owner: called once, by the destructor
  std::function<void()> onDestroyed;        ///< the same for the backend's list

  /** The backend's part: an event of the device. True where it completed this output's frame. */
  bool handleFlip(const FlipEvent& flip);

private:
  static const wlr_output_impl impl;
  ~KmsOutput();
  void addModes();
  bool commitState(const wlr_output_state& state);

  KmsDevice& device_;
  KmsPipe pipe_;
  std::vector<wlr_output_mode> wlrModes_; ///< in the order of the connector's
  uint32_t pendingSequence_ = 0;
  unsigned mandatoryLayers_ = 0;
  wlr_drm_format_set primaryFormats_{};
};

} // namespace vitrine
