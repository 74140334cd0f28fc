#include "protected-path/render/renderer.h"

#include <algorithm>
#include <format>

#include "protected-path/base/log.h"
#include "protected-path/render/vulkan/vulkan_renderer.h"

namespace vitrine {

std::vector<VulkanDeviceReport> listVulkanDevices() {
  const auto instance = vulkan::Instance::create(false);
  if (!instance) {
    log("vulkan").debug("{}", instance.error().text());
    return {};
  }
  auto devices = vulkan::inspectPhysicalDevices(**instance);
  if (!devices) {
    log("vulkan").warn("{}", devices.error().text());
    return {};
  }
  std::vector<VulkanDeviceReport> reports;
  for (vulkan::PhysicalDevice& device : *devices)
    reports.push_back(std::move(device.report));
  return reports;
}

namespace vulkan {

Result<std::unique_ptr<VulkanRenderer>> VulkanRenderer::create(const Options& options) {
  auto instance = Instance::create(options.validation);
  if (!instance) return std::unexpected(instance.error());
  auto devices = inspectPhysicalDevices(**instance);
  if (!devices) return std::unexpected(devices.error());
  auto physical = choosePhysicalDevice(std::move(*devices), options.deviceName, options.displayDevice);
  if (!physical) return std::unexpected(physical.error());
  auto device = Device::create(std::move(*instance), std::move(*physical));
  if (!device) return std::unexpected(device.error());
  std::unique_ptr<VulkanRenderer> renderer(new VulkanRenderer(options, std::move(*device)));
  auto descriptors = DescriptorAllocator::create(renderer->device_);
  if (!descriptors) return std::unexpected(descriptors.error());
  renderer->descriptors_ = std::move(*descriptors);
  auto pipelines = Pipelines::create(renderer->device_, renderer->descriptors_->layout());
  if (!pipelines) return std::unexpected(pipelines.error());
  renderer->pipelines_ = std::move(*pipelines);
  auto frames = FramePool::create(renderer->device_);
  if (!frames) return std::unexpected(frames.error());
  renderer->frames_ = std::move(*frames);
  renderer->recorder_ = std::make_unique<PassRecorder>(renderer->device_, *renderer->pipelines_);
  const VulkanDeviceReport& report = renderer->device();
  log("vulkan").info("composing on {} ({}){}", report.name, report.driver,
                     report.gpu.protectedMemory ? ", with protected memory" : "");
  return renderer;
}

Result<> VulkanRenderer::recover() {
  auto made = create(options_);
  if (!made) return std::unexpected(made.error());
  VulkanRenderer& fresh = **made; // takes the old device's objects with it
  fresh.device_->counters += counters();
  std::swap(device_, fresh.device_);
  std::swap(support_, fresh.support_);
  std::swap(descriptors_, fresh.descriptors_);
  std::swap(pipelines_, fresh.pipelines_);
  std::swap(frames_, fresh.frames_);
  std::swap(recorder_, fresh.recorder_);
  std::swap(uploads_, fresh.uploads_);
  generation_ += 1;
  return {};
}

VulkanRenderer::~VulkanRenderer() {
  if (uploads_ != nullptr) frames_->abandon(*uploads_);
}

const RendererCounters& VulkanRenderer::counters() const {
  counters_ = device_->counters;
  counters_.validationMessages += device_->instance().validationMessages();
  return counters_;
}

namespace {

bool isFor(const SampledImport& way, const Dmabuf& buffer) {
  if (way.memoryPlanes != buffer.planeCount()) return false;
  return way.way == YccImport::PlaneByPlane || lieInOneBuffer(buffer, 0, way.memoryPlanes);
}

} // namespace

Result<std::unique_ptr<Texture>> VulkanRenderer::import(const Dmabuf& buffer) {
  // R2, R3: the driver is not asked about a buffer that this device may not import.
  const Verdict verdict = judgeGpuImport(buffer.evidence(), device().gpu);
  if (!verdict.show) return std::make_unique<VulkanTexture>(buffer.size(), buffer.fourcc(), verdict.refusal);
  std::optional<Error> refusal; // of the best way
  for (const SampledImport& way : support_.sampledImports({buffer.fourcc(), buffer.modifier()})) {
    if (!isFor(way, buffer)) continue;
    auto resources = importBy(way, buffer);
    if (resources) {
      return std::make_unique<VulkanTexture>(buffer.size(), buffer.fourcc(), buffer.noMap(), std::move(*resources),
                                             frames_);
    }
    // Another way does not help against a lost device or exhausted memory.
    if (resources.error().kind != ErrorKind::Refused) return std::unexpected(resources.error());
    log("vulkan").debug("{}", resources.error().text());
    if (!refusal) refusal = std::move(resources.error());
  }
  if (refusal) return std::unexpected(std::move(*refusal));
  return refused(Refusal::GpuFormatUnsupported, "import dma-buf", buffer.describe());
}

Result<std::shared_ptr<TextureResources>> VulkanRenderer::importBy(const SampledImport& way, const Dmabuf& buffer) {
  auto resources = std::make_shared<TextureResources>(device_, vulkanFormat(buffer.fourcc()));
  resources->foreign = true;
  resources->filtersLinearly = way.linear;
  const bool oneImage = way.way == YccImport::OneImage;
  auto imported = oneImage ? importOneImage(buffer, way, *resources) : importPlanes(buffer, way, *resources);
  if (!imported) return std::unexpected(imported.error());
  if (auto finished = finishTexture(*resources); !finished) return std::unexpected(finished.error());
  return resources;
}

namespace {

/** Size rounded up to whole chroma cells, as a multi-planar image needs (VUID-VkImageCreateInfo-format-04712). */
Size wholeCells(const FormatInfo& format, Size size) {
  const auto roundUp = [](uint32_t value, uint32_t multiple) { return (value + multiple - 1) / multiple * multiple; };
  return {roundUp(size.width, format.hsub), roundUp(size.height, format.vsub)};
}

} // namespace

Result<> VulkanRenderer::importOneImage(const Dmabuf& buffer, const SampledImport& way, TextureResources& resources) {
  auto sampler = pipelines_->sampler(way.sampler);
  if (!sampler) return std::unexpected(sampler.error());
  resources.sampler = std::move(*sampler);
  resources.extent = wholeCells(buffer.format(), buffer.size());
  auto image =
      importDmabufImage(*device_, buffer,
                        {.kind = {way.sampler.format, buffer.modifier(), VK_IMAGE_USAGE_SAMPLED_BIT, buffer.noMap()},
                         .size = resources.extent,
                         .memoryPlanes = way.memoryPlanes,
                         .conversion = resources.sampler->conversion()});
  if (!image) return std::unexpected(image.error());
  resources.images[0] = std::move(*image);
  return {};
}

Result<> VulkanRenderer::importPlanes(const Dmabuf& buffer, const SampledImport& way, TextureResources& resources) {
  const VulkanFormat& format = *resources.format;
  resources.imageCount = format.planes;
  resources.extent = buffer.size();
  // RGB is one image with as many memory planes as its modifier has. YCbCr is one image for each plane.
  for (unsigned plane = 0; plane < format.planes; ++plane) {
    const bool swizzled = plane == (format.isYuv() ? 1U : 0U);
    auto image = importDmabufImage(
        *device_, buffer,
        {.kind = {format.planeFormats[plane], buffer.modifier(), VK_IMAGE_USAGE_SAMPLED_BIT, buffer.noMap()},
         .size = planeSize(buffer.format(), buffer.size(), plane),
         .firstPlane = plane,
         .memoryPlanes = format.isYuv() ? 1 : way.memoryPlanes,
         .swizzle = swizzled ? format.swizzle : VkComponentMapping{}});
    if (!image) return std::unexpected(image.error());
    resources.images[plane] = std::move(*image);
  }
  return {};
}

Result<> VulkanRenderer::finishTexture(TextureResources& resources) {
  std::array<VkImageView, DescriptorAllocator::planes> views{};
  for (unsigned i = 0; i < views.size(); ++i) {
    views[i] = resources.images[std::min(i, resources.imageCount - 1)].view.get();
  }
  if (resources.imageCount == 3 && resources.format->crBeforeCb) std::swap(views[1], views[2]);
  auto set = resources.sampler != nullptr ? resources.sampler->descriptors().allocate({views.data(), 1}, false)
                                          : descriptors_->allocate(views, resources.filtersLinearly);
  if (!set) return std::unexpected(set.error());
  resources.set = std::move(*set);
  return {};
}

namespace {

/** For LINEAR buffers: only software rasterizers need a multiple of rows, and they have no other modifier. */
bool hasRowsFor(const Dmabuf& buffer, uint32_t multiple) {
  const uint64_t rows = (uint64_t{buffer.size().height} + multiple - 1) / multiple * multiple;
  const DmabufPlane& plane = buffer.plane(0);
  return plane.offsetBytes + rows * plane.strideBytes <= buffer.sizeBytes();
}

} // namespace

Result<std::unique_ptr<RenderTarget>> VulkanRenderer::importTarget(const Dmabuf& buffer) {
  const Verdict verdict = judgeGpuImport(buffer.evidence(), device().gpu);
  if (!verdict.show) return refused(verdict.refusal, "import target", buffer.describe());
  const auto memoryPlanes = support_.targetMemoryPlanes({buffer.fourcc(), buffer.modifier()});
  if (!memoryPlanes || *memoryPlanes != buffer.planeCount()) {
    return refused(Refusal::GpuFormatUnsupported, "import target", buffer.describe());
  }
  const uint32_t most = device_->physical().maximumTargetExtent;
  if (buffer.size().width > most || buffer.size().height > most)
    return refused(Refusal::GpuSizeUnsupported, "import target", buffer.describe());
  if (const uint32_t rows = device().targetRowMultiple; rows > 1 && !hasRowsFor(buffer, rows)) {
    return refused(Refusal::LayoutOutOfBounds, "import target", buffer.describe(),
                   std::format("{} needs room for a multiple of {} rows", device().name, rows));
  }
  auto resources = std::make_shared<TargetResources>(device_, vulkanFormat(buffer.fourcc()), buffer.size());
  resources->foreign = true;
  resources->isProtected = buffer.noMap();
  DmabufImageKind kind{resources->format->planeFormats[0], buffer.modifier(),
                       VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT, buffer.noMap()};
  resources->readable = !buffer.noMap() && importableImage(*device_, kind).has_value();
  if (!resources->readable) kind.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
  auto image =
      importDmabufImage(*device_, buffer, {.kind = kind, .size = buffer.size(), .memoryPlanes = *memoryPlanes});
  if (!image) return std::unexpected(image.error());
  resources->image = std::move(*image);
  if (auto finished = finishTarget(*resources); !finished) return std::unexpected(finished.error());
  return std::make_unique<VulkanTarget>(std::move(resources), frames_);
}

Result<> VulkanRenderer::finishTarget(TargetResources& resources) {
  const auto pipelines = pipelines_->forFormat(resources.format->planeFormats[0], resources.isProtected);
  if (!pipelines) return std::unexpected(pipelines.error());
  resources.pipelines = *pipelines;
  const VkImageView view = resources.image.view.get();
  const VkFramebufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                     .renderPass = resources.pipelines->renderPass.get(),
                                     .attachmentCount = 1,
                                     .pAttachments = &view,
                                     .width = resources.size.width,
                                     .height = resources.size.height,
                                     .layers = 1};
  auto framebuffer =
      makeObject<Framebuffer>(device_->vk(), device_->vk().CreateFramebuffer, info, "vkCreateFramebuffer");
  if (!framebuffer) return std::unexpected(framebuffer.error());
  resources.framebuffer = std::move(*framebuffer);
  return {};
}

Result<UniqueFd> VulkanRenderer::compose(RenderTarget& target, std::span<const DrawCommand> commands,
                                         std::span<const Rect> damage, std::span<UniqueFd> waitFor) {
  const auto& resources = static_cast<VulkanTarget&>(target).resources();
  if (resources->device != device_) return invalid("compose", "target", "it was imported before the GPU was reset");
  auto frame = frameFor(resources->isProtected);
  if (!frame) return std::unexpected(frame.error());
  Result<> waits;
  for (UniqueFd& fence : waitFor) {
    UniqueFd taken = std::move(fence);
    if (waits) waits = frames_->waitFor(**frame, std::move(taken));
  }
  if (!waits) {
    // The frame may contain uploads that textures need, so it is submitted all the same.
    if (auto flushed = frames_->submit(**frame); !flushed) log("vulkan").warn("{}", flushed.error().text());
    return std::unexpected(waits.error());
  }
  recorder_->record(**frame, resources, commands, damage);
  return frames_->submitWithFence(**frame);
}

bool VulkanRenderer::prepare() {
  const auto made = pipelines_->makeAhead(support_.samplers());
  if (!made) log("vulkan").warn("{}; this pipeline is made with the first frame that needs it", made.error().text());
  return made && *made;
}

void VulkanRenderer::waitIdle() {
  if (auto flushed = flushUploads(); !flushed) log("vulkan").warn("{}", flushed.error().text());
  if (auto waited = frames_->waitIdle(); !waited) log("vulkan").warn("{}", waited.error().text());
  frames_->collect();
}

} // namespace vulkan
} // namespace vitrine
