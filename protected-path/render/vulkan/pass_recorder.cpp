#include "protected-path/render/vulkan/pass_recorder.h"

#include <algorithm>

namespace vitrine::vulkan {
namespace {

// The barriers at both ends of a pass name the stages that access its images. This orders passes on the queue, and puts
// the wait for an acquire fence (at all commands) before the pass.
constexpr VkPipelineStageFlags passStages =
    VK_PIPELINE_STAGE_FRAGMENT_SHADER_BIT | VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT;
constexpr VkPipelineStageFlags outerStages = passStages | VK_PIPELINE_STAGE_TRANSFER_BIT;

constexpr VkAccessFlags attachmentAccess = VK_ACCESS_COLOR_ATTACHMENT_READ_BIT | VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT;

void barriers(const DeviceFunctions& vk, VkCommandBuffer buffer, VkPipelineStageFlags from, VkPipelineStageFlags to,
              const std::vector<VkImageMemoryBarrier>& images) {
  vk.CmdPipelineBarrier(buffer, from, to, 0, 0, nullptr, 0, nullptr, static_cast<uint32_t>(images.size()),
                        images.data());
}

/** The smallest box around the damage, inside the target. */
Rect boundsOf(std::span<const Rect> damage, const Rect& target) {
  Rect bounds;
  for (const Rect& box : damage)
    bounds = unite(bounds, intersect(box, target));
  return bounds;
}

Rect targetBox(const TargetResources& target) {
  return {0, 0, static_cast<int32_t>(target.size.width), static_cast<int32_t>(target.size.height)};
}

/** Whether a command leaves nothing of what was in `area` before. */
bool replacesAll(const DrawCommand& command, const Rect& area) {
  if (!command.destination.contains(area)) return false;
  if (!command.blend || command.kind == DrawCommand::Kind::Hole) return true;
  return (command.kind == DrawCommand::Kind::Solid && command.color.alpha >= 1) ||
         (command.kind == DrawCommand::Kind::Placeholder && command.alpha >= 1);
}

/** Whether a pass draws each pixel of `area` without a look at what was there. A GPU that draws in tiles need not load it then. */
bool redraws(std::span<const DrawCommand> commands, std::span<const Rect> damage, const Rect& area) {
  return std::ranges::any_of(damage, [&](const Rect& box) { return box.contains(area); }) &&
         std::ranges::any_of(commands, [&](const DrawCommand& command) { return replacesAll(command, area); });
}

VkRect2D vulkanRect(const Rect& box) {
  return {{box.x, box.y}, {static_cast<uint32_t>(box.width), static_cast<uint32_t>(box.height)}};
}

} // namespace

VkImageMemoryBarrier imageBarrier(VkImage image, VkImageLayout from, VkImageLayout to, VkAccessFlags before,
                                  VkAccessFlags after, uint32_t fromFamily, uint32_t toFamily) {
  return {.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
          .srcAccessMask = before,
          .dstAccessMask = after,
          .oldLayout = from,
          .newLayout = to,
          .srcQueueFamilyIndex = fromFamily,
          .dstQueueFamilyIndex = toFamily,
          .image = image,
          .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
}

PassRecorder::Draw PassRecorder::draw(const DrawCommand& command, const TargetResources& target) {
  switch (command.kind) {
  case DrawCommand::Kind::Solid:
    return {DrawKind::Solid, command.blend, solidConstants(command.color), nullptr};
  case DrawCommand::Kind::Hole:
    return {DrawKind::Solid, false, solidConstants({0, 0, 0, 0}), nullptr};
  case DrawCommand::Kind::Placeholder:
    break;
  case DrawCommand::Kind::Texture: {
    const auto* texture = static_cast<const VulkanTexture*>(command.texture);
    // R1 is enforced here and nowhere else.
    if (texture == nullptr || texture->isPlaceholder() || (texture->protectedContent() && !target.isProtected)) break;
    const TextureResources& resources = *texture->resources();
    if (resources.device != target.device) break; // the texture is from before a GPU reset
    if (resources.content.lost) break;            // its memory has undefined content
    const DrawKind kinds[] = {DrawKind::Rgb, DrawKind::YccSemiPlanar, DrawKind::YccPlanar};
    return {resources.sampler != nullptr ? DrawKind::YccImage : kinds[resources.format->planes - 1], command.blend,
            textureConstants(command, texture->size(), resources), texture->resources()};
  }
  }
  return {DrawKind::Placeholder, command.blend, placeholderConstants(command.alpha), nullptr};
}

void PassRecorder::addTextureBarriers(const TextureResources& texture) {
  for (unsigned i = 0; i < texture.imageCount; ++i) {
    const VkImage image = texture.images[i].image.get();
    acquires_.push_back(imageBarrier(image, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL, 0,
                                     VK_ACCESS_SHADER_READ_BIT, VK_QUEUE_FAMILY_FOREIGN_EXT, device_->queueFamily()));
    releases_.push_back(imageBarrier(image, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL, VK_IMAGE_LAYOUT_GENERAL,
                                     VK_ACCESS_SHADER_READ_BIT, 0, device_->queueFamily(),
                                     VK_QUEUE_FAMILY_FOREIGN_EXT));
  }
}

void PassRecorder::addTargetBarriers(const TargetResources& target) {
  const VkImage image = target.image.image.get();
  if (target.foreign) {
    acquires_.push_back(imageBarrier(image, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, 0,
                                     attachmentAccess, VK_QUEUE_FAMILY_FOREIGN_EXT, device_->queueFamily()));
    releases_.push_back(imageBarrier(image, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, VK_IMAGE_LAYOUT_GENERAL,
                                     VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT, 0, device_->queueFamily(),
                                     VK_QUEUE_FAMILY_FOREIGN_EXT));
    return;
  }
  acquires_.push_back(
      imageBarrier(image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, 0, attachmentAccess));
  releases_.push_back(imageBarrier(image, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
                                   VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
                                   VK_ACCESS_TRANSFER_READ_BIT));
}

void PassRecorder::collectTextures(Frame& frame, std::span<const DrawCommand> commands, const TargetResources& target) {
  for (const DrawCommand& command : commands) {
    Draw drawn = draw(command, target);
    if (drawn.texture == nullptr || drawn.texture->lastPass == pass_) continue;
    drawn.texture->lastPass = pass_;
    if (drawn.texture->foreign) addTextureBarriers(*drawn.texture);
    frame.keepAlive.push_back(std::move(drawn.texture));
  }
}

void PassRecorder::record(Frame& frame, const std::shared_ptr<TargetResources>& target,
                          std::span<const DrawCommand> commands, std::span<const Rect> damage) {
  const DeviceFunctions& vk = device_->vk();
  const Rect area = boundsOf(damage, targetBox(*target));
  if (area.empty() || commands.empty()) return;
  pass_ += 1;
  acquires_.clear();
  releases_.clear();
  frame.keepAlive.push_back(target);
  addTargetBarriers(*target);
  collectTextures(frame, commands, *target);
  barriers(vk, frame.commands, outerStages, passStages, acquires_);
  const TargetPipelines& pipelines = *target->pipelines;
  const RenderPass& pass = redraws(commands, damage, area) ? pipelines.replacingPass : pipelines.renderPass;
  const VkRenderPassBeginInfo begin{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                    .renderPass = pass.get(),
                                    .framebuffer = target->framebuffer.get(),
                                    .renderArea = vulkanRect(area)};
  vk.CmdBeginRenderPass(frame.commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
  drawAll(frame.commands, *target, commands, damage);
  vk.CmdEndRenderPass(frame.commands);
  barriers(vk, frame.commands, passStages, outerStages, releases_);
}

void PassRecorder::drawAll(VkCommandBuffer buffer, const TargetResources& target, std::span<const DrawCommand> commands,
                           std::span<const Rect> damage) {
  const VkViewport viewport{0, 0, static_cast<float>(target.size.width), static_cast<float>(target.size.height), 0, 1};
  device_->vk().CmdSetViewport(buffer, 0, 1, &viewport);
  for (const DrawCommand& command : commands)
    drawOne(buffer, target, command, damage);
}

void PassRecorder::drawOne(VkCommandBuffer buffer, const TargetResources& target, const DrawCommand& command,
                           std::span<const Rect> damage) {
  const DeviceFunctions& vk = device_->vk();
  const Rect visible = intersect(command.destination, targetBox(target));
  bool bound = false;
  for (const Rect& box : damage) {
    const Rect part = intersect(visible, box);
    if (part.empty()) continue;
    if (!bound) {
      bound = true;
      const Draw drawn = draw(command, target);
      if (drawn.kind == DrawKind::Placeholder) device_->counters.placeholdersDrawn += 1;
      const YccSampler* sampler = drawn.texture != nullptr ? drawn.texture->sampler.get() : nullptr;
      const VkPipelineLayout layout = pipelines_.layout(sampler);
      vk.CmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_GRAPHICS,
                         target.pipelines->get(drawn.kind, sampler, drawn.blend));
      vk.CmdPushConstants(buffer, layout, VK_SHADER_STAGE_FRAGMENT_BIT, 0, sizeof(drawn.constants), &drawn.constants);
      if (drawn.texture != nullptr) {
        const VkDescriptorSet set = drawn.texture->set.get();
        vk.CmdBindDescriptorSets(buffer, VK_PIPELINE_BIND_POINT_GRAPHICS, layout, 0, 1, &set, 0, nullptr);
      }
    }
    const VkRect2D scissor = vulkanRect(part);
    vk.CmdSetScissor(buffer, 0, 1, &scissor);
    vk.CmdDraw(buffer, 3, 1, 0, 0);
    device_->counters.pixelsDrawn += static_cast<uint64_t>(part.width) * static_cast<uint64_t>(part.height);
  }
}

} // namespace vitrine::vulkan
