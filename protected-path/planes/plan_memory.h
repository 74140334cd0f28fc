#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "protected-path/planes/display_list.h"

namespace vitrine {

/** What the hardware said to earlier plans. */
class PlanMemory {
public:
  struct Verdict {
    bool accepted = false;
    Refusal refusal = Refusal::None; ///< PlaneTestRefused or PlaneCommitFailed
  };

  /** What is known about a plan, or empty. A commit that failed outweighs a test that passed. Allocates nothing. */
  [[nodiscard]] std::optional<Verdict> recall(std::span<const Layer> layers, const FramePlan& plan) const;
  /** TEST_ONLY's answer. It holds for every plan of the same shape: everything that the kernel sees but framebuffers.
   */
  void testAnswered(std::span<const Layer> layers, const FramePlan& plan, bool accepted);
  /**
   * A real commit failed. From then on no two of the surfaces that were on planes go on planes together, wherever they
   * are and on whichever planes, and where it was one only, that one does not; until a surface changes format, size or
   * protection. Hardware that lies does so for all of these, and each try costs a frame: so it is known after as many
   * tries as there are surfaces.
   */
  void commitFailed(std::span<const Layer> layers, const FramePlan& plan);
  void forget();

private:
  static constexpr size_t maximumVerdicts = 4096;
  static constexpr size_t maximumFailures = 64;
  using SurfaceSet = std::vector<uint64_t>;

  std::unordered_map<uint64_t, bool> accepted_; ///< by shape
  std::vector<SurfaceSet> failures_;
};

} // namespace vitrine
