#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "protected-path/policy/policy.h"
#include "protected-path/render/vulkan/renderer.h"
#include "protected-path/render/vulkan/vulkan_include.h"

// What the leak tests feed the compositor with: random scenes, told in numbers, so that a failing one can be printed and made small.
namespace vitrine::test {

/** One surface of a frame. Where there is a compositor, surfaces are trees: the rest of what is said of it counts then. */
struct LeakLayer {
  enum class Content { Solid, Upload, Ordinary, ClaimedOrdinary, Protected };
  /** The fence of its acquire point, when it is committed. None: there is no point. Announced: it comes within the frame. */
  enum class Acquire { None, Signalled, Announced, Running, Never };
  Content content = Content::Solid;
  unsigned buffer = 0; ///< which of the machine's buffers of this kind
  Rect destination;
  Rect source; ///< in parts of 64 of the buffer's size
  Transform transform = Transform::Normal;
  float alpha = 1;
  bool nearest = false;

  int parent = -1;         ///< index of the surface that it is a subsurface of, before it in the list; -1: a window
  bool popup = false;      ///< of its parent, if that is a window or a popup
  bool below = false;      ///< its parent
  bool desync = false;     ///< its commits do not wait for its parent's
  bool fullscreen = false; ///< windows only
  bool claimed = false;    ///< a protected buffer with weston_restricted_buffer_v1's word, too
  bool late = false;       ///< committed after its parent, not before
  Acquire acquire = Acquire::None; ///< dma-bufs only
};

/** A driver call that fails once: `vkQueueSubmit` with VK_ERROR_DEVICE_LOST. No function: nothing fails. */
struct LeakFault {
  const char* function = nullptr;
  VkResult result = VK_SUCCESS;
  unsigned skip = 0;
};

struct LeakFrame {
  std::vector<LeakLayer> layers; ///< from the lowest
  OutputRule rule = OutputRule::Automatic;
  uint32_t planeVerdicts = 0; ///< bit n: what TEST_ONLY says to the n-th question
  bool commitFails = false;   ///< the real commit, after TEST_ONLY passed
  bool capture = false;
  bool poolExhausted = false; ///< the protected heap has no room for output buffers
  bool later = false;         ///< a second and more after the frame before
  LeakFault fault;
};

using LeakScene = std::vector<LeakFrame>;

[[nodiscard]] LeakScene randomScene(std::mt19937& random, int extent);
[[nodiscard]] std::string describe(const LeakScene& scene);

/** The smallest scene to be found by leaving things out for which `fails` still holds. */
[[nodiscard]] LeakScene shrink(LeakScene scene, const std::function<bool(const LeakScene&)>& fails);

} // namespace vitrine::test
