#include "compositor/render/dmabuf_buffer.h"

#include <unordered_set>

namespace vitrine {
namespace {

/** All buffers that wlroots has of us: one process, one list. */
std::unordered_set<DmabufBuffer*>& live() {
  static std::unordered_set<DmabufBuffer*> buffers;
  return buffers;
}

/** A refusal is the last word. What failed because memory was short may work now. */
bool isSettled(const auto& made) {
  return made && (*made || made->error().kind == ErrorKind::Refused);
}

} // namespace

const wlr_buffer_impl DmabufBuffer::impl = {
    .destroy = [](wlr_buffer* buffer) { delete from(buffer); },
    .get_dmabuf =
        [](wlr_buffer* buffer, wlr_dmabuf_attributes* out) {
          const Dmabuf& dmabuf = from(buffer)->dmabuf_;
          // R2: protected fds go to Vulkan, KMS and the TEE alone, and none of these asks through here.
          if (dmabuf.noMap()) return false;
          *out = {};
          out->width = static_cast<int32_t>(dmabuf.size().width);
          out->height = static_cast<int32_t>(dmabuf.size().height);
          out->format = dmabuf.fourcc();
          out->modifier = dmabuf.modifier();
          out->n_planes = static_cast<int>(dmabuf.planeCount());
          for (unsigned i = 0; i < dmabuf.planeCount(); ++i) {
            out->fd[i] = dmabuf.plane(i).fd.get();
            out->offset[i] = dmabuf.plane(i).offsetBytes;
            out->stride[i] = dmabuf.plane(i).strideBytes;
          }
          return true;
        },
    .get_shm = nullptr,
    .begin_data_ptr_access = nullptr,
    .end_data_ptr_access = nullptr,
};

DmabufBuffer::DmabufBuffer(Dmabuf dmabuf) : dmabuf_(std::move(dmabuf)), fences_(dmabuf_) {
  wlr_buffer_init(&base_, &impl, static_cast<int>(dmabuf_.size().width), static_cast<int>(dmabuf_.size().height));
  release_.connect(base_.events.release, [this](void*) {
    fences_.released();
    readback_.reset();
  });
  live().insert(this);
}

DmabufBuffer::~DmabufBuffer() {
  live().erase(this);
}

DmabufBuffer* DmabufBuffer::create(Dmabuf dmabuf) {
  return new DmabufBuffer(std::move(dmabuf));
}

DmabufBuffer* DmabufBuffer::from(wlr_buffer* buffer) {
  return buffer != nullptr && buffer->impl == &impl ? reinterpret_cast<DmabufBuffer*>(buffer) : nullptr;
}

ScanoutLock DmabufBuffer::lock() {
  return {wlr_buffer_lock(&base_), {[](void* buffer) { wlr_buffer_unlock(static_cast<wlr_buffer*>(buffer)); }}};
}

void DmabufBuffer::forgetLostImports(const Renderer& renderer) {
  if (generation_ == renderer.generation()) return;
  generation_ = renderer.generation();
  texture_.reset();
  target_.reset();
}

const Result<std::unique_ptr<Texture>>& DmabufBuffer::texture(Renderer& renderer) {
  forgetLostImports(renderer);
  if (!isSettled(texture_)) texture_ = renderer.import(dmabuf_);
  return *texture_;
}

const Result<std::unique_ptr<RenderTarget>>& DmabufBuffer::target(Renderer& renderer) {
  forgetLostImports(renderer);
  if (!target_ || !*target_) target_ = renderer.importTarget(dmabuf_);
  return *target_;
}

Result<int> DmabufBuffer::startReading(Renderer& renderer) {
  const auto& drawn = target(renderer);
  if (!drawn) return std::unexpected(drawn.error());
  auto reading = renderer.startReading(**drawn);
  if (!reading) return std::unexpected(reading.error());
  readback_ = std::move(*reading);
  return readback_->done();
}

const Result<Framebuffer>& DmabufBuffer::framebuffer(const KmsDevice& device, bool opaque) {
  auto& slot = opaque ? opaqueFramebuffer_ : framebuffer_;
  if (!isSettled(slot)) slot = Framebuffer::create(device, dmabuf_, opaque);
  return *slot;
}

void DmabufBuffer::removeAllFramebuffers() {
  for (DmabufBuffer* buffer : live()) {
    for (auto* slot : {&buffer->framebuffer_, &buffer->opaqueFramebuffer_}) {
      if (slot->has_value() && (*slot)->has_value()) (**slot)->removeNow();
      slot->reset();
    }
  }
}

} // namespace vitrine
