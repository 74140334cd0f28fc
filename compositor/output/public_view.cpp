#include "compositor/output/public_view.h"

#include "protected-path/dmabuf/sync_file.h"

namespace vitrine {

Result<> PublicView::acquireBuffer() {
  wlr_output_state state;
  wlr_output_state_init(&state);
  const bool configured = wlr_output_configure_primary_swapchain(&output_, &state, &output_.swapchain);
  wlr_output_state_finish(&state);
  wlr_buffer* buffer = configured ? wlr_swapchain_acquire(output_.swapchain, nullptr) : nullptr;
  if (buffer == nullptr) return missing("draw public view", output_.name, "a buffer for it");
  buffer_ = BufferLock(DmabufBuffer::from(buffer));
  wlr_buffer_unlock(buffer);
  return {};
}

Result<> PublicView::draw(const Draw& draw) {
  drop();
  readers_ = output_.attach_render_locks;
  generation_ = renderer_.generation();
  if (auto acquired = acquireBuffer(); !acquired) return acquired;
  auto done = drawAndWatch(draw);
  if (!done) drop();
  return done;
}

Result<> PublicView::drawAndWatch(const Draw& draw) {
  const auto& target = buffer_.get()->target(renderer_);
  if (!target) return std::unexpected(target.error());
  auto drawn = draw(**target);
  if (!drawn) return std::unexpected(drawn.error());
  auto readable = buffer_.get()->startReading(renderer_);
  if (readable) return watch(*readable); // the copy ends after the drawing
  if (readable.error().kind != ErrorKind::Refused) return std::unexpected(readable.error());
  return watch(drawn->get()); // only readers by dma-buf can use it
}

Result<> PublicView::watch(int syncFile) {
  if (syncFile < 0) return {};
  const auto finished = [](int, uint32_t, void* data) {
    auto* self = static_cast<PublicView*>(data);
    wl_event_source_remove(std::exchange(self->drawing_, nullptr));
    wlr_output_schedule_frame(&self->output_);
    return 0;
  };
  if (syncFileSignalled(syncFile).value_or(false)) return {};
  drawing_ = wl_event_loop_add_fd(output_.event_loop, syncFile, WL_EVENT_READABLE, finished, this);
  if (drawing_ == nullptr) return systemError("wl_event_loop_add_fd", "public view");
  return {};
}

bool PublicView::servesAll() const {
  return buffer_.get() != nullptr && output_.attach_render_locks <= readers_ && generation_ == renderer_.generation();
}

wlr_buffer* PublicView::finished() const {
  return buffer_.get() != nullptr && drawing_ == nullptr ? buffer_.get()->base() : nullptr;
}

void PublicView::drop() {
  if (drawing_ != nullptr) wl_event_source_remove(std::exchange(drawing_, nullptr));
  buffer_.reset();
}

} // namespace vitrine
