// Images, buffers, their views, framebuffers and render passes: whether they are protected, and what a pass writes.

#include <format>

#include "tests/platform/gpu/state.h"

namespace vitrine::gpu {
namespace {

void checkFeature(VkDevice handle, bool isProtected, const char* rule, const char* what) {
  Device& device = *state().devices.at(handle);
  if (isProtected && !device.protectedMemory) state().lose(device, {rule, what});
}

void checkNotSparse(VkDevice handle, bool isProtected, bool isSparse, const char* rule, const char* what) {
  if (isProtected && isSparse) state().lose(*state().devices.at(handle), {rule, what});
}

constexpr VkImageCreateFlags sparseImage =
    VK_IMAGE_CREATE_SPARSE_BINDING_BIT | VK_IMAGE_CREATE_SPARSE_RESIDENCY_BIT | VK_IMAGE_CREATE_SPARSE_ALIASED_BIT;
constexpr VkBufferCreateFlags sparseBuffer =
    VK_BUFFER_CREATE_SPARSE_BINDING_BIT | VK_BUFFER_CREATE_SPARSE_RESIDENCY_BIT | VK_BUFFER_CREATE_SPARSE_ALIASED_BIT;

void mark(std::vector<bool>& attachments, uint32_t attachment) {
  if (attachment < attachments.size()) attachments[attachment] = true; // not VK_ATTACHMENT_UNUSED
}

void markResolve(RenderPass& pass, uint32_t attachment) {
  mark(pass.written, attachment);
  mark(pass.byItself, attachment);
}

/** Works for both versions of the structures, which have the same members. */
template<typename Description>
void markWrites(RenderPass& pass, const Description& subpass) {
  for (uint32_t i = 0; i < subpass.colorAttachmentCount; ++i) {
    mark(pass.written, subpass.pColorAttachments[i].attachment);
    if (subpass.pResolveAttachments != nullptr) markResolve(pass, subpass.pResolveAttachments[i].attachment);
  }
  if (subpass.pDepthStencilAttachment != nullptr) mark(pass.written, subpass.pDepthStencilAttachment->attachment);
}

template<typename CreateInfo>
RenderPass describePass(const CreateInfo& info) {
  RenderPass pass{std::vector<bool>(info.attachmentCount), std::vector<bool>(info.attachmentCount)};
  for (uint32_t i = 0; i < info.attachmentCount; ++i) {
    pass.byItself[i] = info.pAttachments[i].loadOp == VK_ATTACHMENT_LOAD_OP_CLEAR ||
                       info.pAttachments[i].stencilLoadOp == VK_ATTACHMENT_LOAD_OP_CLEAR;
  }
  for (uint32_t i = 0; i < info.subpassCount; ++i)
    markWrites(pass, info.pSubpasses[i]);
  return pass;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateImage(VkDevice device, const VkImageCreateInfo* info,
                                                  const VkAllocationCallbacks* callbacks, VkImage* image) {
  VkImageCreateInfo ordinary = *info;
  ordinary.flags &= ~VkImageCreateFlags{VK_IMAGE_CREATE_PROTECTED_BIT};
  const VkResult result = lavapipe().CreateImage(device, &ordinary, callbacks, image);
  if (result != VK_SUCCESS) return result;
  const bool isProtected = (info->flags & VK_IMAGE_CREATE_PROTECTED_BIT) != 0;
  const Lock lock(state().mutex);
  checkFeature(device, isProtected, "VUID-VkImageCreateInfo-flags-01890",
               "vkCreateImage: protected without the protectedMemory feature");
  checkNotSparse(device, isProtected, (info->flags & sparseImage) != 0, "VUID-VkImageCreateInfo-None-01891",
                 "vkCreateImage: protected and sparse");
  state().images[*image] = {number(*image), "image", isProtected};
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyImage(VkDevice device, VkImage image, const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().images.erase(image);
  }
  lavapipe().DestroyImage(device, image, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateBuffer(VkDevice device, const VkBufferCreateInfo* info,
                                                   const VkAllocationCallbacks* callbacks, VkBuffer* buffer) {
  VkBufferCreateInfo ordinary = *info;
  ordinary.flags &= ~VkBufferCreateFlags{VK_BUFFER_CREATE_PROTECTED_BIT};
  const VkResult result = lavapipe().CreateBuffer(device, &ordinary, callbacks, buffer);
  if (result != VK_SUCCESS) return result;
  const bool isProtected = (info->flags & VK_BUFFER_CREATE_PROTECTED_BIT) != 0;
  const Lock lock(state().mutex);
  checkFeature(device, isProtected, "VUID-VkBufferCreateInfo-flags-01887",
               "vkCreateBuffer: protected without the protectedMemory feature");
  checkNotSparse(device, isProtected, (info->flags & sparseBuffer) != 0, "VUID-VkBufferCreateInfo-None-01888",
                 "vkCreateBuffer: protected and sparse");
  state().buffers[*buffer] = {number(*buffer), "buffer", isProtected};
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyBuffer(VkDevice device, VkBuffer buffer,
                                                const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().buffers.erase(buffer);
  }
  lavapipe().DestroyBuffer(device, buffer, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateImageView(VkDevice device, const VkImageViewCreateInfo* info,
                                                      const VkAllocationCallbacks* callbacks, VkImageView* view) {
  const VkResult result = lavapipe().CreateImageView(device, info, callbacks, view);
  if (result != VK_SUCCESS) return result;
  const Lock lock(state().mutex);
  state().imageViews[*view] = lookUpImage(info->image);
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyImageView(VkDevice device, VkImageView view,
                                                   const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().imageViews.erase(view);
  }
  lavapipe().DestroyImageView(device, view, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateBufferView(VkDevice device, const VkBufferViewCreateInfo* info,
                                                       const VkAllocationCallbacks* callbacks, VkBufferView* view) {
  const VkResult result = lavapipe().CreateBufferView(device, info, callbacks, view);
  if (result != VK_SUCCESS) return result;
  const Lock lock(state().mutex);
  state().bufferViews[*view] = lookUp(state().buffers, info->buffer);
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyBufferView(VkDevice device, VkBufferView view,
                                                    const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().bufferViews.erase(view);
  }
  lavapipe().DestroyBufferView(device, view, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateFramebuffer(VkDevice device, const VkFramebufferCreateInfo* info,
                                                        const VkAllocationCallbacks* callbacks,
                                                        VkFramebuffer* framebuffer) {
  const VkResult result = lavapipe().CreateFramebuffer(device, info, callbacks, framebuffer);
  if (result != VK_SUCCESS) return result;
  const Lock lock(state().mutex);
  auto& attachments = state().framebuffers[*framebuffer];
  attachments.clear();
  if ((info->flags & VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT) != 0) return result; // attachments come with the pass
  for (uint32_t i = 0; i < info->attachmentCount; ++i)
    attachments.push_back(lookUp(state().imageViews, info->pAttachments[i]));
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyFramebuffer(VkDevice device, VkFramebuffer framebuffer,
                                                     const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().framebuffers.erase(framebuffer);
  }
  lavapipe().DestroyFramebuffer(device, framebuffer, callbacks);
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateRenderPass(VkDevice device, const VkRenderPassCreateInfo* info,
                                                       const VkAllocationCallbacks* callbacks, VkRenderPass* pass) {
  const VkResult result = lavapipe().CreateRenderPass(device, info, callbacks, pass);
  if (result != VK_SUCCESS) return result;
  const Lock lock(state().mutex);
  state().renderPasses[*pass] = describePass(*info);
  return result;
}

VKAPI_ATTR VkResult VKAPI_CALL entry::CreateRenderPass2(VkDevice device, const VkRenderPassCreateInfo2* info,
                                                        const VkAllocationCallbacks* callbacks, VkRenderPass* pass) {
  const VkResult result = lavapipe().CreateRenderPass2(device, info, callbacks, pass);
  if (result != VK_SUCCESS) return result;
  RenderPass described = describePass(*info);
  for (uint32_t i = 0; i < info->subpassCount; ++i) {
    const auto* resolve = findInChain<VkSubpassDescriptionDepthStencilResolve>(
        info->pSubpasses[i].pNext, VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_DEPTH_STENCIL_RESOLVE);
    if (resolve != nullptr && resolve->pDepthStencilResolveAttachment != nullptr)
      markResolve(described, resolve->pDepthStencilResolveAttachment->attachment);
  }
  const Lock lock(state().mutex);
  state().renderPasses[*pass] = std::move(described);
  return result;
}

VKAPI_ATTR void VKAPI_CALL entry::DestroyRenderPass(VkDevice device, VkRenderPass pass,
                                                    const VkAllocationCallbacks* callbacks) {
  {
    const Lock lock(state().mutex);
    state().renderPasses.erase(pass);
  }
  lavapipe().DestroyRenderPass(device, pass, callbacks);
}

} // namespace vitrine::gpu
