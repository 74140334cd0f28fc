#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "protected-path/base/clock.h"
#include "protected-path/planes/display_list.h"

namespace vitrine {

/**
 * What the hardware said to earlier plans.
 *
 * Answers hold for a *shape*: everything that the kernel sees but the framebuffers and the positions. Of positions it
 * keeps what hardware is known to care about: which boxes overlap, which are cut at the output's edges, and for
 * subsampled formats whether they are odd. So a layer that moves asks nothing. Where a plan of an accepted shape fails
 * at another position, commitFailed() has the shape asked again there.
 *
 * Refusals and failures age: bandwidth and clocks change without telling anybody. After 2 seconds they are asked
 * again, then after 10, then each 60.
 */
class PlanMemory {
public:
  struct Answer {
    bool accepted = false;
    Refusal refusal = Refusal::None; ///< PlaneTestRefused or PlaneCommitFailed
    Nanoseconds until = 0;           ///< when a refusal is forgotten
    [[nodiscard]] bool isKnown() const { return accepted || until != 0; }
  };

  explicit PlanMemory(Size output)
      : screen_{0, 0, static_cast<int32_t>(output.width), static_cast<int32_t>(output.height)},
        answers_(initialPlaces) {}

  /** The time of the frame in hand. */
  void setTime(Nanoseconds time) { time_ = time; }
  /** The display list that the plans below are for; borrowed until the next call. */
  void beginFrame(std::span<const Layer> layers);
  /** The number of a plan's shape. */
  [[nodiscard]] uint64_t shapeOf(const FramePlan& plan);
  /** What is known about a plan of this shape, or empty. A commit that failed outweighs a test that passed. */
  [[nodiscard]] std::optional<Answer> recall(const FramePlan& plan, uint64_t shape) const;
  /** TEST_ONLY's answer. Allocates only where there are twice as many answers as ever before. */
  Answer testAnswered(const FramePlan& plan, uint64_t shape, bool accepted);
  /**
   * A real commit failed. Where TEST_ONLY accepted the plan's shape at other positions, the shape is asked again.
   * Otherwise no two of the surfaces that were on planes go on planes together, wherever they are and on whichever
   * planes, and where it was one only, that one does not; until a surface changes format, size or protection, or the
   * failure is old. Hardware that lies does so for all of these, and each try costs a frame: it is known after as many
   * tries as there are surfaces.
   */
  void commitFailed(std::span<const Layer> layers, const FramePlan& plan);
  void forget();

private:
  static constexpr size_t maximumAnswers = 4096;
  static constexpr size_t initialPlaces = 256;
  static constexpr size_t maximumFailures = 64;
  using SurfaceSet = std::vector<uint64_t>;
  struct Entry {
    uint64_t shape = 0;    ///< 0: a free place
    uint64_t exact = 0;    ///< shape and positions of the plan that was asked
    Nanoseconds until = 0; ///< when a refusal is forgotten
    bool accepted = false;
    uint8_t refusals = 0;
  };
  struct Failure {
    SurfaceSet surfaces;
    uint8_t count = 0;
    Nanoseconds until = 0;
  };

  [[nodiscard]] uint64_t exactShapeOf(const FramePlan& plan, uint64_t shape) const;
  [[nodiscard]] size_t placeOf(uint64_t shape) const;
  Entry& insert(uint64_t shape);
  void grow();

  Rect screen_;
  Nanoseconds time_ = 0;
  std::span<const Layer> layers_;
  std::vector<uint64_t> layerShapes_; ///< per layer: what shapeOf() takes of it alone; 0: not computed yet
  std::vector<Entry> answers_;        ///< a power of two of places, linear probing
  size_t answerCount_ = 0;
  std::vector<Failure> failures_;
};

} // namespace vitrine
