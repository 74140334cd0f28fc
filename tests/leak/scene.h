#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "protected-path/policy/policy.h"
#include "protected-path/render/renderer.h"
#include "protected-path/render/vulkan/vulkan_include.h"

// The input of the leak tests: random scenes, described by numbers, so that a failing one can be printed and reduced.
namespace vitrine::test {

/** One surface of a frame. The second part is for tests with a compositor, where surfaces form trees. */
struct LeakLayer {
  enum class Content { Solid, Upload, Ordinary, ClaimedOrdinary, Protected };
  /**
   * State of its acquire point's fence at the commit. None: no acquire point. Announced: the fence comes within the
   * frame.
   */
  enum class Acquire { None, Signalled, Announced, Running, Never };
  Content content = Content::Solid;
  unsigned buffer = 0; ///< index among the buffers of this kind
  Rect destination;
  Rect source; ///< in 64ths of the buffer's size
  Transform transform = Transform::Normal;
  float alpha = 1;
  bool nearest = false;

  int parent = -1;                 ///< index of its parent, which is earlier in the list; -1: a window
  bool popup = false;              ///< a popup of its parent, if that is a window or a popup; else a subsurface
  bool below = false;              ///< below its parent
  bool desync = false;             ///< its commits do not wait for its parent's
  bool fullscreen = false;         ///< windows only
  bool claimed = false;            ///< a protected buffer that is also claimed by weston_restricted_buffer_v1
  bool late = false;               ///< committed after its parent, not before
  Acquire acquire = Acquire::None; ///< dma-bufs only
};

/** A driver call that fails once, such as `vkQueueSubmit` with VK_ERROR_DEVICE_LOST. No function: nothing fails. */
struct LeakFault {
  const char* function = nullptr;
  VkResult result = VK_SUCCESS;
  unsigned skip = 0;
};

struct LeakFrame {
  std::vector<LeakLayer> layers; ///< from the lowest
  OutputRule rule = OutputRule::Automatic;
  uint32_t planeVerdicts = 0; ///< bit n: whether the n-th TEST_ONLY commit succeeds
  bool commitFails = false;   ///< the real commit fails after its TEST_ONLY has passed
  bool capture = false;
  bool poolExhausted = false; ///< the protected heap has no room for output buffers
  bool later = false;         ///< more than a second after the previous frame
  LeakFault fault;
};

using LeakScene = std::vector<LeakFrame>;

[[nodiscard]] LeakScene randomScene(std::mt19937& random, int extent);
[[nodiscard]] std::string describe(const LeakScene& scene);

/** Reduces a scene by leaving things out, as long as `fails` is true. */
[[nodiscard]] LeakScene shrink(LeakScene scene, const std::function<bool(const LeakScene&)>& fails);

} // namespace vitrine::test
