#pragma once

#include <vector>

#include "protected-path/render/vulkan/draw_constants.h"
#include "protected-path/render/vulkan/resources.h"

namespace vitrine::vulkan {

/** Records passes: barriers in, draws, barriers out. Keeps its scratch memory, so that a steady session allocates
 * nothing. */
class PassRecorder {
public:
  PassRecorder(std::shared_ptr<Device> device, const Pipelines& pipelines)
      : device_(std::move(device)), pipelines_(pipelines) {}

  /**
   * Records a pass into `frame`, which keeps all that it uses alive.
   *
   * R1 lives here, in draw(): into a target that is not protected, protected content is drawn as the placeholder. A
   * frame that is protected is needed for a protected target (the caller begins it so), and only there are protected
   * images bound.
   */
  void record(Frame& frame, const std::shared_ptr<TargetResources>& target, std::span<const DrawCommand> commands,
              std::span<const Rect> damage);

private:
  /** A command as it will be drawn. */
  struct Draw {
    DrawKind kind = DrawKind::Solid;
    bool blend = true;
    DrawConstants constants;
    std::shared_ptr<const TextureResources> texture; ///< null but for textures
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
