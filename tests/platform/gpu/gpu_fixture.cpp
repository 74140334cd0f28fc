#include "tests/platform/gpu/gpu_fixture.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "tests/platform/gpu/copying_frag.h"
#include "tests/platform/gpu/triangle_vert.h"

namespace vitrine::gpu::test {

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

namespace {

void require(VkResult result, const char* what) {
  if (result != VK_SUCCESS) throw std::runtime_error(std::string(what) + ": VkResult " + std::to_string(result));
}

VkBool32 onMessage(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                   const VkDebugUtilsMessengerCallbackDataEXT* data, void* self) {
  static_cast<Gpu*>(self)->validationMessages += 1;
  ADD_FAILURE() << "validation: " << data->pMessage;
  return VK_FALSE;
}

VkImageUsageFlags usageOf(VkFormat format, VkSampleCountFlagBits samples) {
  VkImageUsageFlags usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                            VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT;
  if (format == depthFormat) return usage | VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT;
  if (samples == VK_SAMPLE_COUNT_1_BIT) usage |= VK_IMAGE_USAGE_STORAGE_BIT; // multisampled ones need a feature
  return usage | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
}

VkImageCreateFlags flagsOf(bool isProtected) {
  return isProtected ? VkImageCreateFlags{VK_IMAGE_CREATE_PROTECTED_BIT} : 0;
}

std::vector<VkExtensionProperties> extensionsOf(VkPhysicalDevice physical) {
  uint32_t count = 0;
  require(vkEnumerateDeviceExtensionProperties(physical, nullptr, &count, nullptr), "device extensions");
  std::vector<VkExtensionProperties> extensions(count);
  require(vkEnumerateDeviceExtensionProperties(physical, nullptr, &count, extensions.data()), "device extensions");
  return extensions;
}

} // namespace

Gpu::Gpu(const GpuOptions& options) {
  makeInstance(options);
  uint32_t count = 1;
  require(vkEnumeratePhysicalDevices(instance, &count, &physical) == VK_SUCCESS && count == 1, "one physical device");
  vkGetPhysicalDeviceMemoryProperties(physical, &memoryTypes);
  makeDevice(options);
  for (const bool isProtected : {false, true}) {
    if (isProtected && !options.protectedMemory) continue;
    const VkCommandPoolCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = isProtected ? VkCommandPoolCreateFlags{VK_COMMAND_POOL_CREATE_PROTECTED_BIT} : 0};
    require(vkCreateCommandPool(device, &info, nullptr, &pools_[isProtected]), "vkCreateCommandPool");
    atEnd([this, pool = pools_[isProtected]] { vkDestroyCommandPool(device, pool, nullptr); });
  }
}

Gpu::~Gpu() {
  vkDeviceWaitIdle(device); // may fail: the device may be lost
  while (!ends_.empty()) {
    ends_.back()();
    ends_.pop_back();
  }
}

void Gpu::makeInstance(const GpuOptions& options) {
  const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                      .apiVersion =
                                          options.everything ? VK_HEADER_VERSION_COMPLETE : VK_API_VERSION_1_3};
  const VkDebugUtilsMessengerCreateInfoEXT messenger{.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
                                                     .messageSeverity =
                                                         VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                                                         VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
                                                     .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
                                                     .pfnUserCallback = &onMessage,
                                                     .pUserData = this};
  const char* layer = "VK_LAYER_KHRONOS_validation";
  std::vector<const char*> extensions;
  if (options.everything) extensions = {VK_KHR_SURFACE_EXTENSION_NAME, VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME};
  VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
  if (options.validation) {
    info.pNext = &messenger;
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &layer;
    extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
  }
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  require(vkCreateInstance(&info, nullptr, &instance), "vkCreateInstance");
  atEnd([this] { vkDestroyInstance(instance, nullptr); });
  if (!options.validation) return;
  const auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
      vkGetInstanceProcAddr(instance, "vkCreateDebugUtilsMessengerEXT"));
  VkDebugUtilsMessengerEXT handle = VK_NULL_HANDLE;
  require(create(instance, &messenger, nullptr, &handle), "vkCreateDebugUtilsMessengerEXT");
  atEnd([this, handle] {
    reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
        vkGetInstanceProcAddr(instance, "vkDestroyDebugUtilsMessengerEXT"))(instance, handle, nullptr);
  });
}

void Gpu::makeDevice(const GpuOptions& options) {
  VkPhysicalDevicePipelineProtectedAccessFeaturesEXT access{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_PROTECTED_ACCESS_FEATURES_EXT,
      .pipelineProtectedAccess = options.pipelineProtectedAccess};
  VkPhysicalDeviceVulkan12Features vulkan12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                            .pNext = &access,
                                            .drawIndirectCount = VK_TRUE,
                                            .imagelessFramebuffer = VK_TRUE};
  VkPhysicalDeviceVulkan13Features vulkan13{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
                                            .pNext = &vulkan12,
                                            .synchronization2 = VK_TRUE,
                                            .dynamicRendering = VK_TRUE};
  VkPhysicalDeviceProtectedMemoryFeatures memory{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES,
                                                 .pNext = &vulkan13,
                                                 .protectedMemory = options.protectedMemory};
  const VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                           .pNext = &memory,
                                           .features = {.vertexPipelineStoresAndAtomics = VK_TRUE}};
  const float priority = 1;
  const VkDeviceQueueCreateFlags queueFlags =
      options.protectedQueue ? VkDeviceQueueCreateFlags{VK_DEVICE_QUEUE_CREATE_PROTECTED_BIT} : 0;
  const VkDeviceQueueCreateInfo queueInfo{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                          .flags = queueFlags,
                                          .queueCount = 1,
                                          .pQueuePriorities = &priority};
  std::vector<const char*> extensions{VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
                                      VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
                                      VK_EXT_PIPELINE_PROTECTED_ACCESS_EXTENSION_NAME};
  const auto offered = extensionsOf(physical);
  if (options.everything) {
    extensions.clear();
    for (const VkExtensionProperties& extension : offered)
      extensions.push_back(extension.extensionName);
  }
  const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                .pNext = &features,
                                .queueCreateInfoCount = 1,
                                .pQueueCreateInfos = &queueInfo,
                                .enabledExtensionCount = static_cast<uint32_t>(extensions.size()),
                                .ppEnabledExtensionNames = extensions.data()};
  require(vkCreateDevice(physical, &info, nullptr, &device), "vkCreateDevice");
  atEnd([this] { vkDestroyDevice(device, nullptr); });
  const VkDeviceQueueInfo2 which{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2, .flags = queueFlags};
  vkGetDeviceQueue2(device, &which, &queue);
  queueIsProtected = options.protectedQueue;
}

uint32_t Gpu::memoryType(uint32_t bits, bool isProtected) const {
  const VkMemoryPropertyFlags wanted =
      isProtected ? VK_MEMORY_PROPERTY_PROTECTED_BIT : VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
  for (uint32_t type = 0; type < memoryTypes.memoryTypeCount; ++type) {
    if ((bits >> type & 1U) != 0 && (memoryTypes.memoryTypes[type].propertyFlags & wanted) != 0) return type;
  }
  throw std::runtime_error("no memory type for it");
}

VkDeviceMemory Gpu::allocate(const VkMemoryRequirements& requirements, bool isProtected) {
  const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                  .allocationSize = requirements.size,
                                  .memoryTypeIndex = memoryType(~0U, isProtected)};
  VkDeviceMemory memory = VK_NULL_HANDLE;
  require(vkAllocateMemory(device, &info, nullptr, &memory), "vkAllocateMemory");
  atEnd([this, memory] { vkFreeMemory(device, memory, nullptr); });
  return memory;
}

VkImage Gpu::unboundImage(bool isProtected, VkFormat format, VkSampleCountFlagBits samples) {
  const VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                               .flags = flagsOf(isProtected),
                               .imageType = VK_IMAGE_TYPE_2D,
                               .format = format,
                               .extent = {side, side, 1},
                               .mipLevels = 1,
                               .arrayLayers = 1,
                               .samples = samples,
                               .usage = usageOf(format, samples)};
  VkImage image = VK_NULL_HANDLE;
  require(vkCreateImage(device, &info, nullptr, &image), "vkCreateImage");
  atEnd([this, image] { vkDestroyImage(device, image, nullptr); });
  return image;
}

TestImage Gpu::image(bool isProtected, VkFormat format, VkSampleCountFlagBits samples) {
  TestImage made{.isProtected = isProtected, .image = unboundImage(isProtected, format, samples)};
  VkMemoryRequirements requirements{};
  vkGetImageMemoryRequirements(device, made.image, &requirements);
  made.memory = allocate(requirements, isProtected);
  require(vkBindImageMemory(device, made.image, made.memory, 0), "vkBindImageMemory");
  const VkImageAspectFlags aspect = format == depthFormat ? VK_IMAGE_ASPECT_DEPTH_BIT : VK_IMAGE_ASPECT_COLOR_BIT;
  const VkImageViewCreateInfo view{.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
                                   .image = made.image,
                                   .viewType = VK_IMAGE_VIEW_TYPE_2D,
                                   .format = format,
                                   .subresourceRange = {aspect, 0, 1, 0, 1}};
  require(vkCreateImageView(device, &view, nullptr, &made.view), "vkCreateImageView");
  atEnd([this, handle = made.view] { vkDestroyImageView(device, handle, nullptr); });
  return made;
}

VkBuffer Gpu::unboundBuffer(bool isProtected) {
  const VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                .flags = isProtected ? VkBufferCreateFlags{VK_BUFFER_CREATE_PROTECTED_BIT} : 0,
                                .size = bufferBytes,
                                .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                         VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT |
                                         VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
                                         VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_VERTEX_BUFFER_BIT |
                                         VK_BUFFER_USAGE_INDEX_BUFFER_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT};
  VkBuffer buffer = VK_NULL_HANDLE;
  require(vkCreateBuffer(device, &info, nullptr, &buffer), "vkCreateBuffer");
  atEnd([this, buffer] { vkDestroyBuffer(device, buffer, nullptr); });
  return buffer;
}

TestBuffer Gpu::buffer(bool isProtected) {
  TestBuffer made{.buffer = unboundBuffer(isProtected)};
  VkMemoryRequirements requirements{};
  vkGetBufferMemoryRequirements(device, made.buffer, &requirements);
  made.memory = allocate(requirements, isProtected);
  require(vkBindBufferMemory(device, made.buffer, made.memory, 0), "vkBindBufferMemory");
  if (isProtected) return made;
  void* data = nullptr;
  require(vkMapMemory(device, made.memory, 0, VK_WHOLE_SIZE, 0, &data), "vkMapMemory");
  std::memset(data, 0, bufferBytes);
  vkUnmapMemory(device, made.memory);
  return made;
}

VkCommandBuffer Gpu::commands(bool isProtected, VkCommandBufferLevel level, VkRenderPass pass) {
  const VkCommandBufferAllocateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                         .commandPool = pools_[isProtected],
                                         .level = level,
                                         .commandBufferCount = 1};
  VkCommandBuffer buffer = VK_NULL_HANDLE;
  require(vkAllocateCommandBuffers(device, &info, &buffer), "vkAllocateCommandBuffers");
  const VkCommandBufferInheritanceInfo inheritance{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
                                                   .renderPass = pass};
  const VkCommandBufferUsageFlags within =
      pass == VK_NULL_HANDLE ? 0 : VkCommandBufferUsageFlags{VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT};
  const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                       .flags = within,
                                       .pInheritanceInfo =
                                           level == VK_COMMAND_BUFFER_LEVEL_SECONDARY ? &inheritance : nullptr};
  require(vkBeginCommandBuffer(buffer, &begin), "vkBeginCommandBuffer");
  return buffer;
}

void Gpu::prepare(VkCommandBuffer commands, const TestImage& image, VkImageAspectFlags aspect) {
  const VkImageMemoryBarrier barrier{.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                                     .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT,
                                     .newLayout = VK_IMAGE_LAYOUT_GENERAL,
                                     .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                     .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                     .image = image.image,
                                     .subresourceRange = {aspect, 0, 1, 0, 1}};
  vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, nullptr,
                       0, nullptr, 1, &barrier);
}

VkRenderPass Gpu::renderPass(VkAttachmentLoadOp load, bool hasInput) {
  const VkAttachmentDescription attachment{.format = colorFormat,
                                           .samples = VK_SAMPLE_COUNT_1_BIT,
                                           .loadOp = load,
                                           .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
                                           .stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
                                           .stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
                                           .initialLayout = VK_IMAGE_LAYOUT_GENERAL,
                                           .finalLayout = VK_IMAGE_LAYOUT_GENERAL};
  const VkAttachmentDescription attachments[] = {attachment, attachment};
  const VkAttachmentReference color{0, VK_IMAGE_LAYOUT_GENERAL};
  const VkAttachmentReference input{1, VK_IMAGE_LAYOUT_GENERAL};
  const VkSubpassDescription subpass{.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
                                     .inputAttachmentCount = hasInput ? 1U : 0U,
                                     .pInputAttachments = &input,
                                     .colorAttachmentCount = 1,
                                     .pColorAttachments = &color};
  const VkRenderPassCreateInfo info{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                    .attachmentCount = hasInput ? 2U : 1U,
                                    .pAttachments = attachments,
                                    .subpassCount = 1,
                                    .pSubpasses = &subpass};
  VkRenderPass pass = VK_NULL_HANDLE;
  require(vkCreateRenderPass(device, &info, nullptr, &pass), "vkCreateRenderPass");
  atEnd([this, pass] { vkDestroyRenderPass(device, pass, nullptr); });
  return pass;
}

VkFramebuffer Gpu::framebuffer(VkRenderPass pass, const std::vector<VkImageView>& views) {
  const VkFramebufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                     .renderPass = pass,
                                     .attachmentCount = static_cast<uint32_t>(views.size()),
                                     .pAttachments = views.data(),
                                     .width = side,
                                     .height = side,
                                     .layers = 1};
  VkFramebuffer made = VK_NULL_HANDLE;
  require(vkCreateFramebuffer(device, &info, nullptr, &made), "vkCreateFramebuffer");
  atEnd([this, made] { vkDestroyFramebuffer(device, made, nullptr); });
  return made;
}

VkFramebuffer Gpu::imagelessFramebuffer(VkRenderPass pass, bool isProtected) {
  const VkFramebufferAttachmentImageInfo image{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENT_IMAGE_INFO,
                                               .flags = flagsOf(isProtected),
                                               .usage = usageOf(colorFormat, VK_SAMPLE_COUNT_1_BIT),
                                               .width = side,
                                               .height = side,
                                               .layerCount = 1,
                                               .viewFormatCount = 1,
                                               .pViewFormats = &colorFormat};
  const VkFramebufferAttachmentsCreateInfo images{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_ATTACHMENTS_CREATE_INFO,
                                                  .attachmentImageInfoCount = 1,
                                                  .pAttachmentImageInfos = &image};
  const VkFramebufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                     .pNext = &images,
                                     .flags = VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT,
                                     .renderPass = pass,
                                     .attachmentCount = 1,
                                     .width = side,
                                     .height = side,
                                     .layers = 1};
  VkFramebuffer made = VK_NULL_HANDLE;
  require(vkCreateFramebuffer(device, &info, nullptr, &made), "vkCreateFramebuffer");
  atEnd([this, made] { vkDestroyFramebuffer(device, made, nullptr); });
  return made;
}

VkShaderModule Gpu::shader(const uint32_t* code, size_t bytes) {
  const VkShaderModuleCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = bytes, .pCode = code};
  VkShaderModule module = VK_NULL_HANDLE;
  require(vkCreateShaderModule(device, &info, nullptr, &module), "vkCreateShaderModule");
  atEnd([this, module] { vkDestroyShaderModule(device, module, nullptr); });
  return module;
}

VkPipeline Gpu::graphicsPipeline(VkShaderModule vertex, VkShaderModule fragment, VkRenderPass pass,
                                 VkPipelineLayout layout, VkPipelineCreateFlags flags) {
  const VkPipelineShaderStageCreateInfo stages[] = {{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                     .stage = VK_SHADER_STAGE_VERTEX_BIT,
                                                     .module = vertex,
                                                     .pName = "main"},
                                                    {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                     .stage = VK_SHADER_STAGE_FRAGMENT_BIT,
                                                     .module = fragment,
                                                     .pName = "main"}};
  const VkPipelineVertexInputStateCreateInfo input{.sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
  const VkPipelineInputAssemblyStateCreateInfo assembly{.sType =
                                                            VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO,
                                                        .topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST};
  const VkViewport viewport{0, 0, side, side, 0, 1};
  const VkRect2D scissor{{0, 0}, {side, side}};
  const VkPipelineViewportStateCreateInfo viewports{.sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO,
                                                    .viewportCount = 1,
                                                    .pViewports = &viewport,
                                                    .scissorCount = 1,
                                                    .pScissors = &scissor};
  const VkPipelineRasterizationStateCreateInfo raster{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO, .lineWidth = 1};
  const VkPipelineMultisampleStateCreateInfo multisample{
      .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO, .rasterizationSamples = VK_SAMPLE_COUNT_1_BIT};
  const VkPipelineColorBlendAttachmentState attachment{.colorWriteMask = 0xf};
  const VkPipelineColorBlendStateCreateInfo blend{.sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO,
                                                  .attachmentCount = 1,
                                                  .pAttachments = &attachment};
  const VkPipelineRenderingCreateInfo rendering{.sType = VK_STRUCTURE_TYPE_PIPELINE_RENDERING_CREATE_INFO,
                                                .colorAttachmentCount = 1,
                                                .pColorAttachmentFormats = &colorFormat};
  const VkGraphicsPipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
                                          .pNext = pass == VK_NULL_HANDLE ? &rendering : nullptr,
                                          .flags = flags,
                                          .stageCount = 2,
                                          .pStages = stages,
                                          .pVertexInputState = &input,
                                          .pInputAssemblyState = &assembly,
                                          .pViewportState = &viewports,
                                          .pRasterizationState = &raster,
                                          .pMultisampleState = &multisample,
                                          .pColorBlendState = &blend,
                                          .layout = layout,
                                          .renderPass = pass};
  VkPipeline pipeline = VK_NULL_HANDLE;
  require(vkCreateGraphicsPipelines(device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline), "vkCreateGraphicsPipelines");
  atEnd([this, pipeline] { vkDestroyPipeline(device, pipeline, nullptr); });
  return pipeline;
}

VkPipeline Gpu::computePipeline(VkShaderModule code, VkPipelineLayout layout, VkPipelineCreateFlags flags) {
  const VkComputePipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                         .flags = flags,
                                         .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                   .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                   .module = code,
                                                   .pName = "main"},
                                         .layout = layout};
  VkPipeline pipeline = VK_NULL_HANDLE;
  require(vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline), "vkCreateComputePipelines");
  atEnd([this, pipeline] { vkDestroyPipeline(device, pipeline, nullptr); });
  return pipeline;
}

VkDescriptorSetLayout Gpu::setLayout(const std::vector<VkDescriptorType>& types, VkShaderStageFlags stages) {
  std::vector<VkDescriptorSetLayoutBinding> bindings;
  for (const VkDescriptorType type : types)
    bindings.push_back({static_cast<uint32_t>(bindings.size()), type, 1, stages, nullptr});
  const VkDescriptorSetLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                             .bindingCount = static_cast<uint32_t>(bindings.size()),
                                             .pBindings = bindings.data()};
  VkDescriptorSetLayout layout = VK_NULL_HANDLE;
  require(vkCreateDescriptorSetLayout(device, &info, nullptr, &layout), "vkCreateDescriptorSetLayout");
  atEnd([this, layout] { vkDestroyDescriptorSetLayout(device, layout, nullptr); });
  return layout;
}

VkPipelineLayout Gpu::pipelineLayout(VkDescriptorSetLayout set) {
  const VkPipelineLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                        .setLayoutCount = set == VK_NULL_HANDLE ? 0U : 1U,
                                        .pSetLayouts = &set};
  VkPipelineLayout layout = VK_NULL_HANDLE;
  require(vkCreatePipelineLayout(device, &info, nullptr, &layout), "vkCreatePipelineLayout");
  atEnd([this, layout] { vkDestroyPipelineLayout(device, layout, nullptr); });
  return layout;
}

VkDescriptorSet Gpu::descriptorSet(VkDescriptorSetLayout layout) {
  std::vector<VkDescriptorPoolSize> sizes; // two descriptors of each kind are enough
  for (int type = VK_DESCRIPTOR_TYPE_SAMPLER; type <= VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT; ++type)
    sizes.push_back({static_cast<VkDescriptorType>(type), 2});
  const VkDescriptorPoolCreateInfo poolInfo{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                            .maxSets = 1,
                                            .poolSizeCount = static_cast<uint32_t>(sizes.size()),
                                            .pPoolSizes = sizes.data()};
  VkDescriptorPool pool = VK_NULL_HANDLE;
  require(vkCreateDescriptorPool(device, &poolInfo, nullptr, &pool), "vkCreateDescriptorPool");
  atEnd([this, pool] { vkDestroyDescriptorPool(device, pool, nullptr); });
  const VkDescriptorSetAllocateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                         .descriptorPool = pool,
                                         .descriptorSetCount = 1,
                                         .pSetLayouts = &layout};
  VkDescriptorSet set = VK_NULL_HANDLE;
  require(vkAllocateDescriptorSets(device, &info, &set), "vkAllocateDescriptorSets");
  return set;
}

VkBufferView Gpu::texels(const TestBuffer& buffer) {
  const VkBufferViewCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                    .buffer = buffer.buffer,
                                    .format = VK_FORMAT_R32_UINT,
                                    .range = VK_WHOLE_SIZE};
  VkBufferView view = VK_NULL_HANDLE;
  require(vkCreateBufferView(device, &info, nullptr, &view), "vkCreateBufferView");
  atEnd([this, view] { vkDestroyBufferView(device, view, nullptr); });
  return view;
}

void Gpu::write(VkDescriptorSet set, uint32_t binding, const TestBuffer& buffer, VkDescriptorType type) {
  const VkDescriptorBufferInfo info{buffer.buffer, 0, VK_WHOLE_SIZE};
  const bool isTexels =
      type == VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER || type == VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER;
  const VkBufferView view = isTexels ? texels(buffer) : VK_NULL_HANDLE;
  const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                   .dstSet = set,
                                   .dstBinding = binding,
                                   .descriptorCount = 1,
                                   .descriptorType = type,
                                   .pBufferInfo = &info,
                                   .pTexelBufferView = &view};
  vkUpdateDescriptorSets(device, 1, &write, 0, nullptr);
}

void Gpu::write(VkDescriptorSet set, uint32_t binding, const TestImage& image, VkDescriptorType type) {
  const VkSamplerCreateInfo samplerInfo{.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
  VkSampler sampler = VK_NULL_HANDLE;
  require(vkCreateSampler(device, &samplerInfo, nullptr, &sampler), "vkCreateSampler");
  atEnd([this, sampler] { vkDestroySampler(device, sampler, nullptr); });
  const VkDescriptorImageInfo info{sampler, image.view, VK_IMAGE_LAYOUT_GENERAL};
  const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                   .dstSet = set,
                                   .dstBinding = binding,
                                   .descriptorCount = 1,
                                   .descriptorType = type,
                                   .pImageInfo = &info};
  vkUpdateDescriptorSets(device, 1, &write, 0, nullptr);
}

VkQueryPool Gpu::queryPool() {
  const VkQueryPoolCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO, .queryType = VK_QUERY_TYPE_OCCLUSION, .queryCount = 1};
  VkQueryPool pool = VK_NULL_HANDLE;
  require(vkCreateQueryPool(device, &info, nullptr, &pool), "vkCreateQueryPool");
  atEnd([this, pool] { vkDestroyQueryPool(device, pool, nullptr); });
  return pool;
}

VkResult Gpu::submit(VkCommandBuffer commands, bool isProtected) {
  require(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
  const VkProtectedSubmitInfo protection{.sType = VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO, .protectedSubmit = VK_TRUE};
  const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                          .pNext = isProtected ? &protection : nullptr,
                          .commandBufferCount = 1,
                          .pCommandBuffers = &commands};
  return vkQueueSubmit(queue, 1, &info, VK_NULL_HANDLE);
}

VkResult Gpu::submit2(VkCommandBuffer commands, bool isProtected) {
  require(vkEndCommandBuffer(commands), "vkEndCommandBuffer");
  const VkCommandBufferSubmitInfo buffer{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                         .commandBuffer = commands};
  const VkSubmitInfo2 info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                           .flags = isProtected ? VkSubmitFlags{VK_SUBMIT_PROTECTED_BIT} : 0,
                           .commandBufferInfoCount = 1,
                           .pCommandBufferInfos = &buffer};
  return vkQueueSubmit2(queue, 1, &info, VK_NULL_HANDLE);
}

void recordCopyingDraw(Gpu& gpu, VkCommandBuffer commands, const TestImage& source, const TestImage& target) {
  const VkRenderPass pass = gpu.renderPass(VK_ATTACHMENT_LOAD_OP_LOAD);
  const auto layout = gpu.setLayout({VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER}, VK_SHADER_STAGE_FRAGMENT_BIT);
  const VkPipelineLayout pipelineLayout = gpu.pipelineLayout(layout);
  const VkDescriptorSet set = gpu.descriptorSet(layout);
  gpu.write(set, 0, source);
  const VkPipeline pipeline =
      gpu.graphicsPipeline(gpu.shader(triangle_vert, sizeof(triangle_vert)),
                           gpu.shader(copying_frag, sizeof(copying_frag)), pass, pipelineLayout);
  const VkRenderPassBeginInfo begin{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                    .renderPass = pass,
                                    .framebuffer = gpu.framebuffer(pass, {target.view}),
                                    .renderArea = {{0, 0}, {side, side}}};
  vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipeline);
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_GRAPHICS, pipelineLayout, 0, 1, &set, 0, nullptr);
  vkCmdDraw(commands, 3, 1, 0, 0);
  vkCmdEndRenderPass(commands);
}

void expectLost(Gpu& gpu, const std::string& rule, const std::function<void()>& broken) {
  testing::internal::CaptureStderr();
  broken();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(said.starts_with("vitrine-gpu: " + rule + ": ")) << "said: " << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_EQ(vkDeviceWaitIdle(gpu.device), VK_ERROR_DEVICE_LOST);
  EXPECT_EQ(vkQueueSubmit(gpu.queue, 0, nullptr, VK_NULL_HANDLE), VK_ERROR_DEVICE_LOST);
}

} // namespace vitrine::gpu::test
