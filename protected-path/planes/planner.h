#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "protected-path/base/clock.h"
#include "protected-path/base/result.h"
#include "protected-path/kms/kms_object.h"
#include "protected-path/planes/display_list.h"

namespace vitrine {

/** What the planner needs to know of an output. */
struct PlannerOutput {
  Size size;
  /** The plane that shows composed content at the bottom of the stack, or a layer that covers the output. */
  uint32_t primaryId = 0;
  /** The composed buffer on the primary; it needs alpha for underlays: ARGB8888. */
  uint32_t composedFourcc = 0;
  uint64_t composedModifier = 0;
  /** The composed buffer that lies above layers on planes; needs alpha. 0: the output has none. */
  uint32_t upperFourcc = 0;
  uint64_t upperModifier = 0;
};

/** Asks the hardware: what TEST_ONLY says to this plan with the buffers of this frame. */
using PlanTest = std::function<Result<>(const FramePlan&)>;

/**
 * Decides what goes on which plane, and in which order the planes lie. Pure but for the `test` it is given.
 *
 * Goal: every mandatory layer on a plane; then as few composed pixels per second as possible. Constraints: the picture
 * (see the top of planner.cpp), zpos ranges, formats × modifiers, transform, alpha, encoding and range, and what
 * TEST_ONLY says. Every layer not on a plane has its reason. Answers of TEST_ONLY are remembered (PlanMemory), so that
 * frames in which only buffers or positions change ask nothing.
 */
class Planner {
public:
  /** Borrows the planes that the output may use; they must outlive it. At most 64 planes. */
  Planner(PlannerOutput output, std::span<const Plane> planes);
  Planner(Planner&&) noexcept;
  Planner& operator=(Planner&&) noexcept;
  ~Planner();

  /** The plane of PlannerOutput::primaryId; null where `planes` does not have it. */
  [[nodiscard]] const Plane* primary() const;
  /** Whether some plane takes the layer, as far as properties say. Only such a layer needs a framebuffer. */
  [[nodiscard]] bool fitsAnyPlane(const Layer& layer) const;

  /**
   * The best plan that `test` accepts; with no plane accepted, everything composed or placeholder (always possible).
   * Writes into `plan`, keeping its memory. Calls `test` at most once per shape, and at most `maximumTests` times per
   * frame. The same layers as in the frame before, in other buffers or at other places with the same overlaps, cost no
   * test and no allocation. `time` is the frame's, on a monotonic clock.
   *
   * A transient error of `test` (isTransient(), but for EBUSY) is no answer: it counts as a refusal in this frame and is
   * asked again in the next (isProvisional()).
   *
   * `test` is given a whole plan. It sets COLOR_ENCODING, COLOR_RANGE, alpha, rotation and zpos only where the plane
   * has them.
   */
  void plan(std::span<const Layer> layers, Nanoseconds time, const PlanTest& test, FramePlan& plan);

  /**
   * A real commit of this plan failed after its test passed. The next plan() uses no plane and asks nothing, so that
   * the same frame can be committed again (R7); what was on planes has PlaneCommitFailed. From then on the same
   * surfaces are not put on planes together again; some of them alone may be (PlanMemory::commitFailed()). A
   * `transient` failure (isTransient()) says nothing about the planes: it is forgotten with that frame.
   */
  void commitFailed(std::span<const Layer> layers, const FramePlan& plan, bool transient = false);

  /** Whether the last plan is for its frame only, after a failure or with tests left to do: the next may be better. */
  [[nodiscard]] bool isProvisional() const;
  /** When a mandatory layer that the hardware refused is tried again; 0 where there is none. */
  [[nodiscard]] Nanoseconds retryAt() const;
  /** Work of the last plan(): boxes compared, properties looked at, planes tried. */
  [[nodiscard]] uint64_t steps() const;

  /** Forgets all answers: after a modeset or hotplug of any output of the device (shared bandwidth). */
  void forget();

  static constexpr unsigned maximumTests = 24;

private:
  struct Work;
  std::unique_ptr<Work> work_;
};

} // namespace vitrine
