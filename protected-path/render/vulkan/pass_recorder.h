#pragma once

#include <vector>

#include "protected-path/render/vulkan/draw_constants.h"
#include "protected-path/render/vulkan/resources.h"

namespace vitrine::vulkan {

/**
 * Records passes: acquire barriers, draws, release barriers. Keeps its scratch memory: a steady session allocates none.
 */
class PassRecorder {
public:
  PassRecorder(std::shared_ptr<Device> device, const Pipelines& pipelines)
      : device_(std::move(device)), pipelines_(pipelines) {}

  /**
   * Records a pass into `frame`, which keeps everything alive that the pass uses.
   *
   * draw() enforces R1: a pass into an unprotected target draws the placeholder for protected content. A protected
   * target needs a protected frame, which the caller begins. Protected images are bound in such frames only.
   */
  void record(Frame& frame, const std::shared_ptr<TargetResources>& target, std::span<const DrawCommand> commands,
              std::span<const Rect> damage);

private:
  /** How a command is drawn. */
  struct Draw {
    DrawKind kind = DrawKind::Solid;
    bool blend = true;
    DrawConstants constants;
    std::shared_ptr<const TextureResources> texture; ///< null if no texture is sampled
  };
  [[nodiscard]] static Draw draw(const DrawCommand& command, const TargetResources& target);
  void collectTextures(Frame& frame, std::span<const DrawCommand> commands, const TargetResources& target);
  void addTextureBarriers(const TextureResources& texture);
  void addTargetBarriers(const TargetResources& target);
  void drawAll(VkCommandBuffer buffer, const TargetResources& target, std::span<const DrawCommand> commands,
               std::span<const Rect> damage);
  void drawOne(VkCommandBuffer buffer, const TargetResources& target, const DrawCommand& command,
               std::span<const Rect> damage);
  std::shared_ptr<Device> device_;
  const Pipelines& pipelines_;
  uint64_t pass_ = 0;
  std::vector<VkImageMemoryBarrier> acquires_;
  std::vector<VkImageMemoryBarrier> releases_;
};

} // namespace vitrine::vulkan
