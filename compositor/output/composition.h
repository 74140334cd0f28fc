#pragma once

#include <limits>
#include <span>
#include <vector>

#include "compositor/output/draw_list.h"
#include "compositor/output/output_buffer_allocator.h"

namespace vitrine {

/**
 * The composed part of an output: which layers the GPU draws, into which buffers, and how little of it.
 *
 * It compares what is to be drawn with what was drawn last; where nothing differs nothing is rendered and the same buffer is
 * shown again. Its buffers are ordinary memory, until a frame composes protected content: then they are protected memory, for as
 * long as there is such content and a moment longer. What was protected is cleared by the GPU before it goes back (R9).
 */
class Composition {
public:
  /** How long an output stays in protected memory after the last protected layer, so that a video that comes and goes costs no
   * new buffers each time. */
  static constexpr Nanoseconds protectedLinger = 1'000'000'000;
  /** After protected buffers could not be had, when they are asked for again: pools empty themselves. */
  static constexpr Nanoseconds protectedRetry = 2'000'000'000;

  /** Which of a plan's composed buffers it is. */
  enum class Place : uint8_t {
    Bottom, ///< on the primary, over the background
    Above,  ///< above layers on planes; transparent where nothing is drawn
  };

  Composition(Renderer& renderer, OutputBufferAllocator& source, Color background, Place place = Place::Bottom);
  Composition(const Composition&) = delete;
  ~Composition();

  /** Lets go of all buffers. */
  void free();
  [[nodiscard]] bool isAllocated() const { return !ordinary_.empty(); }
  /** Makes the buffers for an output of this size. `fourcc` ARGB8888 where underlays are wanted. */
  [[nodiscard]] Result<> allocate(Size size, uint32_t fourcc);
  void setBackground(Color background);

  /**
   * Brings a buffer up to date with the layers that the plan leaves to it, or does nothing. On success current() is what to show.
   * Layers on planes below it become holes. On an error of kind Refused there are no protected buffers, and from now
   * protectedRefusal() says why.
   */
  [[nodiscard]] Result<> render(std::span<const Layer> layers, std::span<const LayerSource> sources,
                                const FramePlan& plan, Nanoseconds time);

  /** Why this output cannot be composed in protected memory just now, or None. */
  [[nodiscard]] Refusal protectedRefusal(Nanoseconds time) const;
  /** Stops composing protected content until `until`, or for good: the display refused a buffer in protected memory. */
  void refuseProtected(Refusal refusal, Nanoseconds until);
  static constexpr Nanoseconds forGood = std::numeric_limits<Nanoseconds>::max();
  /** Forgets such refusals: after a modeset. */
  void forgetRefusal() { refusal_ = Refusal::None; }

  /** Whether current() is in protected memory. */
  [[nodiscard]] bool inProtectedMemory() const { return !protected_.empty(); }
  /** When a frame is wanted although nothing changes, to go back to ordinary memory; 0: none is. */
  [[nodiscard]] Nanoseconds wakeUpAt() const { return lingering_ ? lastProtected_ + protectedLinger : 0; }
  /** Clears and lets go of protected buffers that are not shown any more; to be called after each flip. */
  void releaseRetired();

  /** The buffer drawn last; after allocate() a black one, before it null. */
  [[nodiscard]] DmabufBuffer* current() const { return active().empty() ? nullptr : active().current().buffer; }
  /** Its fence as a sync file while the GPU may still be at work, else -1. Borrowed until the next render(). */
  [[nodiscard]] int currentFence() const { return fence_.get(); }
  /** What of current() differs from what was on the screen when wasShown() was last called, in its pixels. */
  [[nodiscard]] std::span<const Rect> changes() const { return active().changes(); }
  /** current() is part of a commit that the kernel took. */
  void wasShown() { active().wasShown(); }
  /** Whether the last render() drew anything. */
  [[nodiscard]] bool rendered() const { return rendered_; }
  /** R9, the session was switched away: protected buffers are cleared and let go. */
  void suspend();

private:
  void addDamage(const Rect& box);
  void distrustLostDevice();
  Result<> chooseMemory(bool needed, Nanoseconds time);
  void leaveProtectedMemory();
  [[nodiscard]] Result<> clear(DmabufBuffer& buffer);
  [[nodiscard]] Result<> clearAll(const OutputBufferSet& chain);
  [[nodiscard]] OutputBufferSet& active() { return inProtectedMemory() ? protected_ : ordinary_; }
  [[nodiscard]] const OutputBufferSet& active() const { return inProtectedMemory() ? protected_ : ordinary_; }

  Renderer& renderer_;
  OutputBufferAllocator& source_;
  Place place_;
  Color background_;
  Size size_;
  uint32_t fourcc_ = 0;
  OutputBufferSet ordinary_;
  OutputBufferSet protected_;            ///< empty while nothing protected is composed
  std::vector<OutputBufferSet> retired_; ///< protected ones that have been left; shown still, or not cleared yet
  Nanoseconds lastProtected_ = 0;        ///< when protected content was last composed
  bool lingering_ = false;               ///< in protected memory without need
  Refusal refusal_ = Refusal::None;
  Nanoseconds refusedUntil_ = 0;
  UniqueFd fence_;
  bool rendered_ = false;
  uint64_t generation_ = 0; ///< the renderer's, when the buffers were drawn
  DrawList items_;
};

} // namespace vitrine
