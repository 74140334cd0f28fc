#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <drm_mode.h>

#include "protected-path/kms/atomic_request.h"
#include "protected-path/policy/policy.h"

namespace vitrine {

/** Calls the function that gives a scanned-out buffer back to its owner. */
struct ScanoutRelease {
  void (*function)(void*) = nullptr;
  void operator()(void* buffer) const { function(buffer); }
};
/** Keeps a buffer from being reused or freed while a plane may show it. Empty: the caller guarantees that itself. */
using ScanoutLock = std::unique_ptr<void, ScanoutRelease>;

/** What one plane shows in a frame. */
struct PlaneContent {
  const Plane* plane = nullptr; ///< one of KmsPipe::planes()
  uint32_t framebufferId = 0;
  ScanoutLock lock = {}; ///< moves into the pipe when the frame is committed
  SourceRect source = {};
  Rect destination = {}; ///< in pixels of the mode
  Transform transform = Transform::Normal;
  uint16_t alpha = 0xffff;
  bool blends = false; ///< per-pixel alpha, premultiplied
  bool isYuv = false;
  ColorEncoding encoding = ColorEncoding::Bt709;
  ColorRange range = ColorRange::Limited;
  int inFence = -1;                  ///< borrowed sync file, or -1
  std::optional<uint64_t> zpos = {}; ///< place in the stack; empty: the plane's own, as Plane::stacking assumes
  /** Identity of what is shown from frame to frame, in whichever of its buffers; compared only. Null: `damage` is not used. */
  const void* content = nullptr;
  /**
   * What differs from the last committed frame of `content`, in pixels of the framebuffer and inside it; no box: nothing does.
   * Borrowed. The kernel is told (FB_DAMAGE_CLIPS) if the plane takes it and showed the same content in the last commit.
   */
  std::span<const Rect> damage = {};
};

/** What a pipe shows at its next flip. Each plane of the pipe that has no content is off. */
struct KmsFrame {
  std::vector<PlaneContent> planes;
};

/** One step of a gamma table: the output for the input of this step, 0 to 0xffff. */
struct GammaEntry {
  uint16_t red = 0;
  uint16_t green = 0;
  uint16_t blue = 0;
};

/** Counts of one pipe since its construction. */
struct KmsPipeCounters {
  AtomicCounters atomic;
  uint64_t flips = 0;
};

/**
 * The display pipeline of one output: a connector, its CRTC, and the planes that the CRTC has at present.
 *
 * Modesets go through Modeset, since one commit may cover several pipes. The device must outlive the pipe. A pipe changes nothing
 * in the kernel when it is destroyed; turn it off first. Thread: the device's.
 */
class KmsPipe {
public:
  /** `connector` is copied. `planes` has exactly one primary plane, and only planes that `crtc` can use. */
  KmsPipe(const KmsDevice& device, const Connector& connector, const Crtc& crtc, std::vector<Plane> planes);
  KmsPipe(const KmsPipe&) = delete;

  [[nodiscard]] const KmsDevice& device() const { return device_; }
  [[nodiscard]] const Connector& connector() const { return connector_; }
  [[nodiscard]] const Crtc& crtc() const { return crtc_; }
  [[nodiscard]] const std::vector<Plane>& planes() const { return planes_; }
  [[nodiscard]] const Plane& primary() const { return planes_[primary_]; }
  [[nodiscard]] const KmsPipeCounters& counters() const { return counters_; }
  /** The mode of the last modeset; empty while the pipe is off. */
  [[nodiscard]] const std::optional<Mode>& mode() const { return mode_; }

  /** Changes with each modeset, turning off and forget(): what was derived from the mode has to be derived again. */
  [[nodiscard]] uint64_t modesetSerial() const { return modesetSerial_; }

  /** Replaces what is known of the connector after the device has read it again. The id stays the same. */
  void setConnector(const Connector& connector) { connector_ = connector; }
  /**
   * Replaces the planes, with the same primary. Frames that were made for the old ones are void. Planes that were given up and may
   * be shown still are turned off by the next commit; isReleasing() is true until that has happened.
   */
  void setPlanes(std::vector<Plane> planes);
  /** Whether the kernel may still have this plane on the pipe's CRTC although the pipe has given it up. */
  [[nodiscard]] bool isReleasing(const Plane& plane) const;

  /**
   * Asks the kernel for HDCP of a content type on the connector's link, or no longer for HDCP (Off); also across modesets. The kernel
   * answers later, by a uevent: connector().contentProtection(), once the connector has been read again. Does nothing if that has been
   * asked already, or the connector has no HDCP. Waits for the next vblank; makes a modeset only if the driver needs one. Errors: System
   * with the kernel's errno.
   */
  [[nodiscard]] Result<> askContentProtection(Hdcp type);

  /** How many entries the CRTC's gamma table has (GAMMA_LUT_SIZE); 0: it has no table. */
  [[nodiscard]] uint32_t gammaSize() const;
  /**
   * Applies a gamma table of gammaSize() entries with the next submit() or modeset, and with every modeset after it. Empty: none.
   * Does not wait. Errors: Invalid for another number of entries; System if the kernel has no memory or refuses the table in a test.
   * Then the old table stays.
   */
  [[nodiscard]] Result<> setGamma(std::span<const GammaEntry> table);

  /** TEST_ONLY of a frame without a modeset. Changes nothing. Errors: System with the kernel's errno. */
  [[nodiscard]] Result<> test(const KmsFrame& frame);
  /**
   * Commits a frame for the next vblank (non-blocking, with an event). On success the frame's locks are the pipe's, until a later
   * flip has replaced the frame. On failure nothing has changed. EBUSY: a flip of the CRTC is still pending; try after it.
   */
  [[nodiscard]] Result<> submit(KmsFrame& frame);
  /** Commits a frame and waits until it is on the screen; no event. Locks and errors as submit(). */
  [[nodiscard]] Result<> show(KmsFrame& frame);
  [[nodiscard]] bool flipPending() const { return flipPending_; }
  /** Takes an event of the device: true where it completes the pending submit(). Events of earlier commits are ignored. */
  bool handleFlip(const FlipEvent& event);

  /**
   * The display now belongs to somebody else: gives all buffers back and forgets the pending flip and the mode. Changes nothing in
   * the kernel.
   */
  void forget();

private:
  friend class Modeset;
  /** What the properties of a plane are set to, looked up once. */
  struct PlaneValues {
    std::optional<uint64_t> blended;
    std::optional<uint64_t> unblended;
    std::array<std::optional<uint64_t>, 3> encoding;
    std::array<std::optional<uint64_t>, 2> range;
    std::optional<uint64_t> zpos; ///< empty where it cannot be set
  };
  /** The damage of a plane's content as the kernel takes it. */
  struct Damage {
    const void* content = nullptr; ///< what the last commit shows on the plane, or null
    std::vector<drm_mode_rect> clips;
    std::optional<PropertyBlob> blob; ///< with `clips`
  };
  void describe(AtomicRequest& request, const KmsFrame& frame) const;
  void describeDamage(const KmsFrame& frame);
  void noteContent(const KmsFrame& frame);
  void describe(AtomicRequest& request, const PlaneContent& content, const PlaneValues& values) const;
  void describeOn(AtomicRequest& request, uint32_t modeBlob, const KmsFrame& frame) const;
  void describeOff(AtomicRequest& request) const;
  void describeContentProtection(AtomicRequest& request, Hdcp type) const;
  void describeGamma(AtomicRequest& request) const;
  void contentProtectionWasAsked();
  void wasTurnedOn(Mode mode, PropertyBlob blob, KmsFrame& frame);
  void wasTurnedOff();
  static void takeLocks(KmsFrame& frame, std::vector<ScanoutLock>& locks);

  const KmsDevice& device_;
  Connector connector_;
  const Crtc& crtc_;
  std::vector<Plane> planes_;
  std::vector<PlaneValues> values_; ///< per plane
  std::vector<Damage> damage_;      ///< per plane
  std::vector<drm_mode_rect> clips_;
  size_t primary_ = 0;
  std::vector<Plane> givenUp_;    ///< to be turned off by the next commit
  std::vector<Plane> turningOff_; ///< turned off by the pending one
  KmsPipeCounters counters_;
  AtomicRequest request_;
  std::optional<Mode> mode_;
  std::optional<PropertyBlob> modeBlob_;
  std::vector<ScanoutLock> onScreen_; ///< what the panel shows
  std::vector<ScanoutLock> queued_;   ///< what it shows after the pending flip
  bool flipPending_ = false;
  Hdcp askedProtection_ = Hdcp::Off;
  std::optional<PropertyBlob> gamma_; ///< empty: no table
  uint64_t modesetSerial_ = 0;
  uint64_t cookie_ = 0; ///< of the last submit()
};

} // namespace vitrine
