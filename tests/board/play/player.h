#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/board/common/stop_signals.h"
#include "tests/board/play/frame_pacer.h"
#include "tests/board/play/protected_buffers.h"
#include "tests/board/wayland/surface_protection.h"
#include "tests/board/wayland/video_window.h"

namespace vitrine {

struct PlayerOptions {
  std::string heapName; ///< empty: the right one is found
  std::optional<Size> shownSize;
  bool fullscreen = false;
  Transform transform = Transform::Normal;
  bool covered = false;
  bool loop = false;
  size_t buffers = 3;
  ClaimMode claim = ClaimMode::Auto;
  std::optional<FrameFiller::Application> application; ///< of the TEE's; empty: the best there is
  std::optional<double> seconds;                       ///< end after so long
  std::optional<uint64_t> frames;                      ///< end after so many
};

/** What was chosen and counted; filled as far as playing came. */
struct PlayerReport {
  std::string heap;
  Evidence evidence = Evidence::None;
  std::optional<FrameFiller::Application> application;
  size_t buffers = 0;
  bool claimed = false;
  bool colorTold = false; ///< encoding and range were told to the compositor
  uint64_t framesSubmitted = 0;
  uint64_t framesPresented = 0;
  uint64_t framesDiscarded = 0;
  uint64_t framesMissed = 0;                   ///< FramePacer::missed()
  uint64_t zeroCopy = 0;                       ///< presented frames whose buffer was scanned out
  std::optional<uint64_t> firstPresentedFrame; ///< number within the clip
  std::optional<uint64_t> lastPresentedFrame;
  std::vector<Nanoseconds> fillTimes; ///< at most `maximumFillTimes`, the first ones
  double seconds = 0;                 ///< from the first frame committed to the end
  std::vector<ProtectionAnswer>
      attainable; ///< as the compositor said before anything was allocated; empty: it cannot say
  std::vector<ProtectionAnswer> outcomes; ///< each new one, at most `maximumOutcomes`
  std::string endedBy;                    ///< `clip`, `frames`, `seconds`, `signal`, `window`, `error`

  static constexpr size_t maximumFillTimes = 100'000;
  static constexpr size_t maximumOutcomes = 100;
};

/**
 * Plays a clip through TEE, protected heap and compositor. One event loop in one thread; waits in poll only, and no
 * longer than until a stop signal comes, which is an end like any other.
 */
class Player : private VideoWindowObserver {
public:
  /** Borrows all three. */
  Player(ClipReader& clip, const PlayerOptions& options, StopSignals& stop);
  ~Player() override;

  /**
   * Sets up and plays to the end. Errors: Missing, or Refused(HeapAbsent, HeapUnproven), where this machine cannot do it at all (no
   * TEE, no application in it); anything else that went wrong, with report() telling how far it came.
   */
  [[nodiscard]] Result<> play(const ClipKey& key);

  [[nodiscard]] const PlayerReport& report() const { return report_; }

private:
  struct Stage; ///< all that exists only while playing, in the order in which it is taken down

  [[nodiscard]] Result<> setUp(const ClipKey& key);
  [[nodiscard]] Result<> openBuffers();
  [[nodiscard]] Result<> openFiller(const ClipKey& key);
  [[nodiscard]] Result<> openWindow();
  [[nodiscard]] Result<> askForProtection(std::vector<Heap>& heaps);
  void followOutcome();
  [[nodiscard]] Result<> run();
  [[nodiscard]] Result<> drain();
  [[nodiscard]] Result<> unlessStopped(Result<> done);
  [[nodiscard]] Result<> fillOne();
  [[nodiscard]] Result<> fill(ProtectedBuffer& buffer, uint64_t frame);
  [[nodiscard]] Result<std::optional<Nanoseconds>> showDue();
  [[nodiscard]] bool finished();
  [[nodiscard]] uint64_t frameLimit() const;
  [[nodiscard]] Nanoseconds presentationNow() const;

  void frameWanted() override;
  void presented(uint64_t frame, const Presentation& presentation) override;
  void discarded(uint64_t frame) override;
  void closed() override;

  ClipReader& clip_;
  PlayerOptions options_;
  StopSignals& stop_;
  FramePacer pacer_;
  PlayerReport report_;
  std::unique_ptr<Stage> stage_;
  uint64_t nextFill_ = 0;
  bool frameWanted_ = false;
  bool closed_ = false;
  Nanoseconds started_ = 0;
  std::optional<Nanoseconds> deadline_;
};

} // namespace vitrine
