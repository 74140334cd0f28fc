#include "tests/board/wayland/video_window.h"

#include <algorithm>
#include <cstring>

namespace vitrine {
namespace {

/** The largest size with the proportions of `content` that fits into `room`. */
Size fitInto(Size content, Size room) {
  const uint64_t byWidth = uint64_t{room.width} * content.height;
  const uint64_t byHeight = uint64_t{room.height} * content.width;
  if (byWidth <= byHeight) return {room.width, std::max(1U, static_cast<uint32_t>(byWidth / content.width))};
  return {std::max(1U, static_cast<uint32_t>(byHeight / content.height)), room.height};
}

} // namespace

const xdg_surface_listener VideoWindow::surfaceListener = {
    .configure = [](void* data, xdg_surface*, uint32_t serial) { static_cast<VideoWindow*>(data)->configured(serial); },
};

const xdg_toplevel_listener VideoWindow::toplevelListener = {
    .configure =
        [](void* data, xdg_toplevel*, int32_t width, int32_t height, wl_array* states) {
          auto* window = static_cast<VideoWindow*>(data);
          window->offeredSize_ = {static_cast<uint32_t>(std::max(width, 0)),
                                  static_cast<uint32_t>(std::max(height, 0))};
          window->mustFit_ = window->fullscreen_ = false;
          for (size_t i = 0; i < states->size / sizeof(uint32_t); ++i) {
            uint32_t state = 0;
            std::memcpy(&state, static_cast<const std::byte*>(states->data) + i * sizeof(state), sizeof(state));
            window->mustFit_ |= state == XDG_TOPLEVEL_STATE_MAXIMIZED;
            window->fullscreen_ |= state == XDG_TOPLEVEL_STATE_FULLSCREEN;
          }
        },
    .close = [](void* data, xdg_toplevel*) { static_cast<VideoWindow*>(data)->observer_.closed(); },
    .configure_bounds = [](void*, xdg_toplevel*, int32_t, int32_t) {},
    .wm_capabilities = [](void*, xdg_toplevel*, wl_array*) {},
};

const wl_callback_listener VideoWindow::frameListener = {
    .done =
        [](void* data, wl_callback*, uint32_t) {
          auto* window = static_cast<VideoWindow*>(data);
          window->frameCallback_.reset();
          window->observer_.frameWanted();
        },
};

const wp_presentation_feedback_listener VideoWindow::feedbackListener = {
    .sync_output = [](void*, struct wp_presentation_feedback*, wl_output*) {},
    .presented =
        [](void* data, struct wp_presentation_feedback*, uint32_t secondsHigh, uint32_t secondsLow,
           uint32_t nanoseconds, uint32_t refresh, uint32_t sequenceHigh, uint32_t sequenceLow, uint32_t flags) {
          auto* feedback = static_cast<Feedback*>(data);
          Presentation presentation;
          presentation.time =
              static_cast<Nanoseconds>(uint64_t{secondsHigh} << 32 | secondsLow) * 1'000'000'000 + nanoseconds;
          presentation.refresh = refresh;
          presentation.sequence = uint64_t{sequenceHigh} << 32 | sequenceLow;
          presentation.zeroCopy = (flags & WP_PRESENTATION_FEEDBACK_KIND_ZERO_COPY) != 0;
          VideoWindow* window = feedback->window;
          const uint64_t frame = feedback->frame;
          window->feedback_.erase(feedback->self);
          window->observer_.presented(frame, presentation);
        },
    .discarded =
        [](void* data, struct wp_presentation_feedback*) {
          auto* feedback = static_cast<Feedback*>(data);
          VideoWindow* window = feedback->window;
          const uint64_t frame = feedback->frame;
          window->feedback_.erase(feedback->self);
          window->observer_.discarded(frame);
        },
};

VideoWindow::VideoWindow(WaylandConnection& connection, const VideoWindowOptions& options,
                         VideoWindowObserver& observer)
    : connection_(connection), options_(options), observer_(observer) {}

Result<std::unique_ptr<VideoWindow>>
VideoWindow::create(WaylandConnection& connection, const VideoWindowOptions& options, VideoWindowObserver& observer) {
  if (options.shownSize && !connection.globals().viewporter)
    return invalid("use", "the compositor", "it lacks wp_viewporter (viewporter)", "leave out --size");
  if (options.covered)
    if (auto possible = Cover::requireGlobals(connection); !possible) return std::unexpected(possible.error());
  std::unique_ptr<VideoWindow> window(new VideoWindow(connection, options, observer));
  window->createObjects();
  while (!window->configured_)
    if (auto done = connection.dispatch(-1); !done) return std::unexpected(done.error());
  return window;
}

void VideoWindow::createObjects() {
  WaylandGlobals& globals = connection_.globals();
  surface_.reset(wl_compositor_create_surface(globals.compositor.get()));
  if (globals.viewporter) viewport_.reset(wp_viewporter_get_viewport(globals.viewporter.get(), surface_.get()));
  if (options_.colorRepresentation) {
    color_.reset(wp_color_representation_manager_v1_get_surface(globals.colorRepresentation.get(), surface_.get()));
    wp_color_representation_surface_v1_set_coefficients_and_range(color_.get(), options_.colorRepresentation->first,
                                                                  options_.colorRepresentation->second);
  }
  shellSurface_.reset(xdg_wm_base_get_xdg_surface(globals.shell.get(), surface_.get()));
  xdg_surface_add_listener(shellSurface_.get(), &surfaceListener, this);
  toplevel_.reset(xdg_surface_get_toplevel(shellSurface_.get()));
  xdg_toplevel_add_listener(toplevel_.get(), &toplevelListener, this);
  describeTo(toplevel_.get());
  if (options_.transform != Transform::Normal)
    wl_surface_set_buffer_transform(surface_.get(), static_cast<int32_t>(options_.transform));
  if (options_.covered) cover_ = std::make_unique<Cover>(connection_, surface_.get());
  wl_surface_commit(surface_.get());
}

void VideoWindow::describeTo(xdg_toplevel* toplevel) const {
  xdg_toplevel_set_title(toplevel, options_.title);
  xdg_toplevel_set_app_id(toplevel, options_.appId);
  if (options_.fullscreen) {
    xdg_toplevel_set_fullscreen(toplevel, nullptr);
    return;
  }
  // A video has one size. Tiling compositors make such a window float.
  const Size shown = options_.shownSize.value_or(naturalSize());
  xdg_toplevel_set_min_size(toplevel, static_cast<int32_t>(shown.width), static_cast<int32_t>(shown.height));
  xdg_toplevel_set_max_size(toplevel, static_cast<int32_t>(shown.width), static_cast<int32_t>(shown.height));
}

/** The size of the video as seen, with the transform undone. */
Size VideoWindow::naturalSize() const {
  const Size& size = options_.videoSize;
  return swapsAxes(options_.transform) ? Size{size.height, size.width} : size;
}

void VideoWindow::configured(uint32_t serial) {
  xdg_surface_ack_configure(shellSurface_.get(), serial);
  configured_ = true;
  applySize();
}

void VideoWindow::applySize() {
  Size shown = options_.shownSize.value_or(naturalSize());
  const bool offered = offeredSize_.width > 0 && offeredSize_.height > 0;
  if (offered && mustFit_ && !fullscreen_)
    shown = offeredSize_; // xdg-shell: a maximised window must have exactly this size
  else if (offered && fullscreen_ && !options_.shownSize)
    shown = fitInto(naturalSize(), offeredSize_);
  if (!viewport_) return;
  if (cover_) cover_->layOver(shown);
  wp_viewport_set_destination(viewport_.get(), static_cast<int32_t>(shown.width), static_cast<int32_t>(shown.height));
}

Result<> VideoWindow::setFullscreen(bool wanted) {
  if (auto done = connection_.roundtrip(); !done) return done; // a configure under way is not the answer
  if (wanted)
    xdg_toplevel_set_fullscreen(toplevel_.get(), nullptr);
  else
    xdg_toplevel_unset_fullscreen(toplevel_.get());
  configured_ = false;
  while (!configured_)
    if (auto done = connection_.dispatch(-1); !done) return done;
  return {};
}

Result<> VideoWindow::setCovered(bool wanted) {
  cover_.reset();
  if (!wanted) return {};
  if (auto possible = Cover::requireGlobals(connection_); !possible) return possible;
  cover_ = std::make_unique<Cover>(connection_, surface_.get());
  applySize();
  return {};
}

void VideoWindow::show(wl_buffer* buffer, uint64_t frame) {
  wl_surface* surface = surface_.get();
  wl_surface_attach(surface, buffer, 0, 0);
  wl_surface_damage_buffer(surface, 0, 0, static_cast<int32_t>(options_.videoSize.width),
                           static_cast<int32_t>(options_.videoSize.height));
  Feedback& feedback =
      feedback_.emplace_back(Feedback{this,
                                      frame,
                                      WaylandPtr<struct wp_presentation_feedback>(
                                          wp_presentation_feedback(connection_.globals().presentation.get(), surface)),
                                      {}});
  feedback.self = std::prev(feedback_.end());
  wp_presentation_feedback_add_listener(feedback.object.get(), &feedbackListener, &feedback);
  frameCallback_.reset(wl_surface_frame(surface));
  wl_callback_add_listener(frameCallback_.get(), &frameListener, this);
  wl_surface_commit(surface);
}

} // namespace vitrine
