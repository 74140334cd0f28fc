#include "compositor/capture/public_view.h"

#include "protected-path/dmabuf/sync_file.h"

namespace vitrine {

Result<> PublicView::draw(DmabufBuffer& buffer, Reader reader, const Draw& draw, std::function<void()> onFinished) {
  drop();
  buffer_ = BufferLock(&buffer);
  onFinished_ = std::move(onFinished);
  auto done = drawAndWatch(reader, draw);
  if (!done) drop();
  return done;
}

Result<> PublicView::drawAndWatch(Reader reader, const Draw& draw) {
  const auto& target = buffer_.get()->target(renderer_);
  if (!target) return std::unexpected(target.error());
  auto drawn = draw(**target);
  if (!drawn) return std::unexpected(drawn.error());
  if (reader == Reader::Gpu) {
    // A client that maps its buffer, or shows it, finds the fence in it.
    if (drawn->isValid()) buffer_.get()->fences().writtenUntil(drawn->get());
    return watch(drawn->get());
  }
  auto readable = buffer_.get()->startReading(renderer_); // the copy ends after the drawing
  return readable ? watch(*readable) : std::unexpected(readable.error());
}

Result<> PublicView::watch(int syncFile) {
  if (syncFile < 0 || syncFileSignalled(syncFile).value_or(false)) return {};
  const auto finished = [](int, uint32_t, void* data) {
    auto* self = static_cast<PublicView*>(data);
    wl_event_source_remove(std::exchange(self->drawing_, nullptr));
    const auto onFinished = self->onFinished_; // it may destroy this object
    onFinished();
    return 0;
  };
  drawing_ = wl_event_loop_add_fd(&loop_, syncFile, WL_EVENT_READABLE, finished, this);
  if (drawing_ == nullptr) return systemError("wl_event_loop_add_fd", "public view");
  return {};
}

void PublicView::drop() {
  if (drawing_ != nullptr) wl_event_source_remove(std::exchange(drawing_, nullptr));
  buffer_.reset();
  onFinished_ = nullptr;
}

} // namespace vitrine
