#include "compositor/capture/capture.h"

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

constexpr Nanoseconds millisecond = 1'000'000;

} // namespace

std::unique_ptr<CaptureTarget> CaptureTarget::of(wl_resource* resource) {
  wlr_buffer* buffer = wlr_buffer_try_from_resource(resource); // locks it
  if (buffer == nullptr) return nullptr;
  std::unique_ptr<CaptureTarget> target(new CaptureTarget(buffer));
  if (DmabufBuffer* dmabuf = target->dmabuf()) {
    target->fourcc_ = dmabuf->dmabuf().fourcc();
    return target;
  }
  wlr_shm_attributes shm{};
  if (!wlr_buffer_get_shm(buffer, &shm)) return nullptr;
  target->fourcc_ = shm.format;
  target->strideBytes_ = static_cast<uint32_t>(shm.stride);
  return target;
}

Size CaptureTarget::size() const {
  return {static_cast<uint32_t>(buffer_->width), static_cast<uint32_t>(buffer_->height)};
}

Result<> CaptureTarget::write(const Readback& picture) {
  void* data = nullptr;
  uint32_t fourcc = 0;
  size_t stride = 0;
  if (!wlr_buffer_begin_data_ptr_access(buffer_, WLR_BUFFER_DATA_PTR_ACCESS_WRITE, &data, &fourcc, &stride))
    return invalid("write capture", "wl_shm buffer", "its memory cannot be written");
  const std::span bytes(static_cast<std::byte*>(data), stride * static_cast<size_t>(buffer_->height));
  auto done = picture.read({0, 0, buffer_->width, buffer_->height}, fourcc, static_cast<uint32_t>(stride), bytes);
  wlr_buffer_end_data_ptr_access(buffer_);
  return done;
}

Capture::Capture(const Machine& machine, CaptureSource* source, Order order, CaptureTarget& target, Done done)
    : machine_(machine), source_(
                             source,
                             [this] {
                               if (own_ == nullptr && !view_.isDrawing()) step();
                             },
                             [this] { fail(invalid("capture", "source", "it is gone").error()); }),
      order_(std::move(order)), target_(target), done_(std::move(done)), view_(machine.loop, machine.renderer),
      timer_(machine.loop, *this, [](Capture& self) { self.step(); }) {}

Capture::~Capture() {
  stopWatching();
  view_.drop();
  if (own_) machine_.buffers.giveBack(std::move(own_));
}

void Capture::stopWatching() {
  if (fenceSource_ != nullptr) wl_event_source_remove(std::exchange(fenceSource_, nullptr));
  fence_.reset();
}

Result<> Capture::check() const {
  const CaptureSource* source = source_.get();
  if (source == nullptr) return invalid("capture", "source", "it is gone");
  const Size size = source->captureSize();
  if (size.width == 0) return invalid("capture", source->captureName(), "it shows nothing: it is off, or hidden");
  const Rect whole{0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
  if (!whole.contains(order_.box)) return invalid("capture", source->captureName(), "its size has changed");
  if (!machine_.gpu.isUsable(now())) return invalid("capture", source->captureName(), "the GPU is lost");
  return {};
}

void Capture::step() {
  if (done_ == nullptr) return; // it has ended
  if (auto possible = check(); !possible) return fail(possible.error());
  if (!isDue() || mustWaitForClient()) return;
  const CaptureSource::Picture picture = source_.get()->picture();
  if (!hasChanged(picture)) return;
  auto drawn = draw(picture);
  if (!drawn) {
    if (isDeviceLost(drawn.error())) static_cast<void>(machine_.gpu.recover(now()));
    log("capture").warn("{}: {}", source_.get()->captureName(), drawn.error().text());
    return fail(drawn.error());
  }
  if (*drawn && view_.finished() != nullptr) finish();
}

/** Whether enough time has passed since the last picture; else the timer calls again. A client that waits for changes is paced by them. */
bool Capture::isDue() {
  if (order_.waitsForChange && order_.memory->known) return true;
  const CaptureSource& source = *source_.get();
  const Nanoseconds wait = source.lastCapture() + source.captureInterval() - now();
  if (source.lastCapture() == 0 || wait <= 0) return true;
  timer_.start(static_cast<int>(wait / millisecond) + 1);
  return false;
}

/** R8: whether somebody still uses the client's dma-buf, whose fences would hold up our queue. Then it is polled. */
bool Capture::mustWaitForClient() {
  DmabufBuffer* dmabuf = target_.dmabuf();
  if (dmabuf == nullptr) return false;
  if (fenceSource_ != nullptr) return true;
  auto busy = dmabuf->fences().unsignalled(FenceUse::Write);
  if (!busy) {
    fail(busy.error());
    return true;
  }
  if (busy->empty()) return false;
  fence_ = std::move(busy->front());
  const auto signalled = [](int, uint32_t, void* data) {
    auto* self = static_cast<Capture*>(data);
    self->stopWatching();
    self->step();
    return 0;
  };
  fenceSource_ = wl_event_loop_add_fd(&machine_.loop, fence_.get(), WL_EVENT_READABLE, signalled, this);
  if (fenceSource_ == nullptr) fail(systemError("wl_event_loop_add_fd", "capture").error());
  return true;
}

/** Makes the list to draw, and the damage. False: the client waits for a change, and nothing has changed. */
bool Capture::hasChanged(const CaptureSource::Picture& picture) {
  taken_.damage.clear();
  const Rect& box = order_.box;
  const auto damaged = [&](const Rect& changed) {
    const Rect visible = intersect(changed, box);
    if (!visible.empty())
      taken_.damage.push_back({visible.x - box.x, visible.y - box.y, visible.width, visible.height});
  };
  CaptureMemory* memory = order_.memory.get();
  if (memory == nullptr) {
    list_.clear();
    list_.makePublic(picture.layers, picture.sources, order_.withCursor, [](const Rect&) {});
    return true;
  }
  memory->list.makePublic(picture.layers, picture.sources, order_.withCursor, damaged);
  if (std::exchange(memory->background, picture.background) != picture.background) memory->known = false;
  if (memory->known) return !order_.waitsForChange || !taken_.damage.empty();
  taken_.damage = {{0, 0, box.width, box.height}};
  return true;
}

/** False: all buffers are in use, and the timer calls again. */
Result<bool> Capture::draw(const CaptureSource::Picture& picture) {
  CaptureSource& source = *source_.get();
  const Size size = target_.size();
  DmabufBuffer* buffer = target_.dmabuf();
  if (order_.memory) order_.memory->known = false; // until this picture is handed over
  if (buffer == nullptr) {
    if (own_ == nullptr) {
      auto taken = machine_.buffers.take(size);
      if (!taken) return std::unexpected(taken.error());
      own_ = std::move(*taken);
    }
    if (own_ == nullptr) {
      timer_.start(static_cast<int>(source.captureInterval() / millisecond) + 1);
      return false;
    }
    buffer = own_.get();
  }
  taken_.time = now();
  epoch_ = source.captureEpoch();
  generation_ = machine_.renderer.generation();
  source.noteCapture(taken_.time);
  DrawList& list = order_.memory ? order_.memory->list : list_;
  const auto drawn = view_.draw(
      *buffer, own_ ? PublicView::Reader::Cpu : PublicView::Reader::Gpu,
      [&](RenderTarget& target) {
        const Rect whole{0, 0, order_.box.width, order_.box.height};
        return list.draw(machine_.renderer, target, picture.background, {&whole, 1}, order_.box.x, order_.box.y);
      },
      [this] { finish(); });
  if (!drawn) return std::unexpected(drawn.error());
  return true;
}

void Capture::finish() {
  const CaptureSource* source = source_.get();
  // The session was locked, or the GPU was reset, before the picture was finished.
  if (source->captureEpoch() != epoch_ || machine_.renderer.generation() != generation_) {
    view_.drop();
    return step();
  }
  if (own_) {
    const Readback* picture = view_.finished()->readback();
    const auto written = picture != nullptr ? target_.write(*picture)
                                            : missing("read capture", source->captureName(), "a copy of its pixels");
    if (!written) return fail(written.error());
  }
  if (order_.memory) order_.memory->known = true;
  end(taken_);
}

void Capture::fail(const Error& why) {
  log("capture").debug("{}", why.text());
  end(std::unexpected(why));
}

/** Lets go of all that is not needed any more, and tells. This object may be gone after it. */
void Capture::end(const Result<Taken>& how) {
  timer_.stop();
  stopWatching();
  view_.drop();
  if (own_) machine_.buffers.giveBack(std::move(own_));
  if (const Done done = std::exchange(done_, nullptr)) done(how);
}

} // namespace vitrine
