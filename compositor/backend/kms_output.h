#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compositor/render/dmabuf_buffer.h"
#include "protected-path/kms/atomic_request.h"
#include "protected-path/policy/policy.h"

namespace vitrine {

/** What one plane shows in a frame. */
struct PlaneContent {
  const Plane* plane = nullptr;
  DmabufBuffer* buffer = nullptr;
  uint32_t framebufferId = 0;
  SourceRect source;
  Rect destination; ///< inside the output
  Transform transform = Transform::Normal;
  uint16_t alpha = 0xffff;
  bool blends = false; ///< per-pixel alpha, premultiplied
  bool isYuv = false;
  ColorEncoding encoding = ColorEncoding::Bt709;
  ColorRange range = ColorRange::Limited;
  int inFence = -1; ///< borrowed sync file, or -1
};

/** What the display does at its next flip: every plane that is not named is off. */
struct KmsFrame {
  std::vector<PlaneContent> planes;
};

/** One frame that reached the panel. */
struct Presented {
  uint32_t commitSequence = 0; ///< wlr_output.commit_seq of its commit
  FlipEvent flip;
};

/** Counts of one output, since its start. */
struct KmsOutputCounters {
  AtomicCounters atomic;
  uint64_t flips = 0;
};

/**
 * A connector with its CRTC and planes, as a wlr_output over our KMS.
 *
 * wlroots never sees what is on the panel: a frame goes to the kernel through submit(); the wlr_output commit that follows tells
 * wlroots (and captures) about it, with the public view as its buffer where there is one.
 */
class KmsOutput {
  wlr_output base_{}; ///< first of all members: from() casts

public:
  KmsOutput(KmsDevice& device, const Connector& connector, const Crtc& crtc, wlr_backend& backend, wl_event_loop& loop);
  KmsOutput(const KmsOutput&) = delete;

  [[nodiscard]] wlr_output* base() { return &base_; }
  [[nodiscard]] static KmsOutput* from(wlr_output* output);
  [[nodiscard]] KmsDevice& device() { return device_; }
  [[nodiscard]] const Crtc& crtc() const { return crtc_; }
  [[nodiscard]] const Connector& connector() const { return connector_; }
  [[nodiscard]] const Plane* primaryPlane() const { return primary_; }
  /** Planes of this CRTC: the primary, and overlays and cursors that no other output of the device has. */
  [[nodiscard]] const std::vector<Plane>& planes() const { return planes_; }
  [[nodiscard]] OutputKind kind() const;
  [[nodiscard]] const KmsOutputCounters& counters() const { return counters_; }

  /** The first picture, whole and opaque, that the next modeset shows. Taken when the output is enabled. */
  void setModesetBuffer(DmabufBuffer& buffer) { modesetBuffer_ = BufferLock(&buffer); }

  /** TEST_ONLY of a frame. */
  [[nodiscard]] Result<> test(const KmsFrame& frame);
  /**
   * Commits a frame for the next vblank. On success its buffers are locked until a later flip has replaced them, and onPresented
   * is called at the flip. On failure nothing has changed.
   */
  [[nodiscard]] Result<> submit(const KmsFrame& frame);
  /** Tells which wlr_output commit the submitted frame belongs to. */
  void setCommitSequence(uint32_t sequence) { pendingSequence_ = sequence; }
  [[nodiscard]] bool flipPending() const { return flipPending_; }

  std::function<void(const Presented&)> onPresented;
  std::function<void()> onDestroyed; ///< called by its destructor, for the backend's list

  /** The backend's part: a flip of this CRTC completed. */
  void handleFlip(const FlipEvent& flip);
  /** The session lost the display: buffers are given back, pending flips forgotten. */
  void suspend();
  /** The session has it again: the mode is set anew with the modeset buffer. */
  [[nodiscard]] Result<> resume(DmabufBuffer& buffer);

private:
  static const wlr_output_impl impl;
  ~KmsOutput();
  void addModes();
  void choosePlanes();
  bool commitState(const wlr_output_state& state);
  Result<> modeset(const Mode& mode, DmabufBuffer& buffer);
  Result<> disable();
  void describe(const KmsFrame& frame);
  void describe(const PlaneContent& content);
  void keepBuffers(const KmsFrame& frame);

  KmsDevice& device_;
  Connector connector_;
  Crtc crtc_;
  std::vector<wlr_output_mode> wlrModes_;
  std::vector<Plane> planes_;
  const Plane* primary_ = nullptr;
  KmsOutputCounters counters_;
  AtomicRequest request_;
  std::optional<PropertyBlob> modeBlob_;
  const Mode* mode_ = nullptr;
  BufferLock modesetBuffer_;
  std::vector<BufferLock> onScreen_; ///< what the panel shows
  std::vector<BufferLock> queued_;   ///< what it shows after the pending flip
  bool flipPending_ = false;
  uint32_t pendingSequence_ = 0;
  wlr_drm_format_set primaryFormats_{};
};

} // namespace vitrine
