#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "protected-path/base/result.h"
#include "protected-path/kms/kms_object.h"
#include "protected-path/planes/display_list.h"

namespace vitrine {

/** What the planner needs to know of an output. */
struct PlannerOutput {
  Size size;
  uint32_t crtcIndex = 0;
  uint32_t primaryId = 0; ///< the plane that the device gives the CRTC as its primary
  /** The composed buffer's format, needs alpha for underlays: ARGB8888. */
  uint32_t composedFourcc = 0;
  uint64_t composedModifier = 0;
};

/** Asks the hardware: what TEST_ONLY says to this plan with the buffers of this frame. */
using PlanTest = std::function<Result<>(const FramePlan&)>;

/**
 * Decides what goes on which plane. Pure but for the `test` it is given.
 *
 * Goal: every mandatory layer on a plane; then as few composed pixels per second as possible. Constraints: stacking (a
 * layer above composed content must be on a plane above the primary; a layer under composed content only on a plane
 * below it, with a hole, and opaque), formats × modifiers, transform, alpha, encoding and range, and what TEST_ONLY
 * says. Every layer not on a plane has its reason. Verdicts of TEST_ONLY are remembered per *shape* (everything but the
 * framebuffers), so that frames in which only buffers change ask nothing.
 */
class Planner {
public:
  /**
   * Borrows the planes of the output's CRTC (others are left out by possibleCrtcs); they must outlive it. At most 64
   * planes.
   */
  Planner(PlannerOutput output, std::span<const Plane> planes);
  Planner(Planner&&) noexcept;
  Planner& operator=(Planner&&) noexcept;
  ~Planner();

  /** The plane that shows composed content, or the one layer that covers the output; null where the CRTC has none. */
  [[nodiscard]] const Plane* primary() const;

  /**
   * The best plan that `test` accepts; with no plane accepted, everything composed or placeholder (always possible).
   * Writes into `plan`, keeping its memory. Calls `test` at most once per shape, and at most `maximumTests` times per
   * frame. The same layers as in the frame before, in other buffers, cost no test and no allocation.
   *
   * A passing error of `test` (isTransient(), but for EBUSY) is no answer: it counts as a refusal in this frame and is
   * asked again in the next (isProvisional()).
   *
   * `test` is given a whole plan. It sets COLOR_ENCODING, COLOR_RANGE, alpha and rotation only where the plane has
   * them.
   */
  void plan(std::span<const Layer> layers, const PlanTest& test, FramePlan& plan);

  /**
   * A real commit of this plan failed after its test passed. The next plan() uses no plane and asks nothing, so that
   * the same frame can be committed again (R7); what was on planes has PlaneCommitFailed. From then on the same
   * surfaces are not put on planes together again; some of them alone may be. A `passing` failure (isTransient()) says
   * nothing about the planes: it is forgotten with that frame.
   */
  void commitFailed(std::span<const Layer> layers, const FramePlan& plan, bool passing = false);

  /** Whether the last plan stands for its frame alone, after a failure: another may be found for the same layers. */
  [[nodiscard]] bool isProvisional() const;

  /** Forgets all verdicts: after a modeset, or a change to other outputs of the device (shared bandwidth). */
  void forget();

  static constexpr unsigned maximumTests = 24;

private:
  struct Work;
  std::unique_ptr<Work> work_;
};

} // namespace vitrine
