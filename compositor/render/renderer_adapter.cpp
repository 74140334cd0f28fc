#include "compositor/render/renderer_adapter.h"

#include <vector>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

/** A wlroots render pass: collects commands and composes them when it is submitted, one pass per run of equal clips. */
class RenderPassAdapter {
public:
  RenderPassAdapter(Renderer& renderer, wlr_buffer& buffer, RenderTarget& target)
      : renderer_(renderer), lock_(DmabufBuffer::from(&buffer)), target_(target) {
    wlr_render_pass_init(&base_, &impl);
  }
  wlr_render_pass* base() { return &base_; }

private:
  struct Group {
    std::vector<Rect> clip;
    std::vector<DrawCommand> commands;
  };
  static RenderPassAdapter& from(wlr_render_pass* pass) { return *reinterpret_cast<RenderPassAdapter*>(pass); }
  static const wlr_render_pass_impl impl;

  std::vector<Rect> clipBoxes(const pixman_region32_t* clip) const {
    const Size size = target_.size();
    if (clip == nullptr) return {{0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)}};
    int count = 0;
    const pixman_box32_t* boxes = pixman_region32_rectangles(clip, &count);
    std::vector<Rect> result;
    for (int i = 0; i < count; ++i) {
      result.push_back({boxes[i].x1, boxes[i].y1, boxes[i].x2 - boxes[i].x1, boxes[i].y2 - boxes[i].y1});
    }
    return result;
  }

  void add(const pixman_region32_t* clip, const DrawCommand& command) {
    auto boxes = clipBoxes(clip);
    if (groups_.empty() || groups_.back().clip != boxes) groups_.push_back({std::move(boxes), {}});
    groups_.back().commands.push_back(command);
  }

  void addTexture(const wlr_render_texture_options& options) {
    TextureAdapter* adapter = TextureAdapter::from(options.texture);
    if (adapter == nullptr) return;
    wlr_fbox source{};
    wlr_box destination{};
    wlr_render_texture_options_get_src_box(&options, &source);
    wlr_render_texture_options_get_dst_box(&options, &destination);
    DrawCommand command;
    command.destination = {destination.x, destination.y, destination.width, destination.height};
    command.texture = adapter->texture();
    command.kind = command.texture != nullptr ? DrawCommand::Kind::Texture : DrawCommand::Kind::Placeholder;
    command.source = {Fixed16_16::fromDouble(source.x), Fixed16_16::fromDouble(source.y),
                      Fixed16_16::fromDouble(source.width), Fixed16_16::fromDouble(source.height)};
    command.transform = static_cast<Transform>(options.transform);
    command.alpha = wlr_render_texture_options_get_alpha(&options);
    command.blend = options.blend_mode == WLR_RENDER_BLEND_MODE_PREMULTIPLIED;
    command.nearest = options.filter_mode == WLR_SCALE_FILTER_NEAREST;
    add(options.clip, command);
    if (adapter->dmabuf() != nullptr) sources_.emplace_back(adapter->dmabuf());
  }

  void addRect(const wlr_render_rect_options& options) {
    DrawCommand command;
    command.kind = DrawCommand::Kind::Solid;
    command.destination = {options.box.x, options.box.y, options.box.width, options.box.height};
    const wlr_render_color& color = options.color; // premultiplied there, straight here
    const float unmultiply = color.a > 0 ? 1 / color.a : 0;
    command.color = {color.r * unmultiply, color.g * unmultiply, color.b * unmultiply, color.a};
    command.blend = options.blend_mode == WLR_RENDER_BLEND_MODE_PREMULTIPLIED;
    add(options.clip, command);
  }

  /** R8: a buffer that somebody still uses would hold up our queue. */
  [[nodiscard]] Result<> isTargetFree() const {
    const auto busy = lock_.get()->fences().unsignalled(FenceUse::Write);
    if (!busy) return std::unexpected(busy.error());
    if (busy->empty()) return {};
    return invalid("draw into", lock_.get()->dmabuf().describe(), "its fences have not signalled yet");
  }

  bool submit() {
    if (auto free = isTargetFree(); !free) {
      log("render").warn("{}", free.error().text());
      return false;
    }
    for (const Group& group : groups_) {
      auto fence = renderer_.compose(target_, group.commands, group.clip, {});
      if (!fence) {
        log("render").warn("{}", fence.error().text());
        return false;
      }
      if (!fence->isValid()) continue;
      lock_.get()->fences().writtenUntil(fence->get());
      for (const BufferLock& source : sources_)
        source.get()->fences().readUntil(fence->get());
    }
    return true;
  }

  wlr_render_pass base_{}; ///< first: from() casts
  Renderer& renderer_;
  BufferLock lock_;
  RenderTarget& target_;
  std::vector<Group> groups_;
  std::vector<BufferLock> sources_; ///< dma-bufs that are sampled
};

const wlr_render_pass_impl RenderPassAdapter::impl = {
    .submit =
        [](wlr_render_pass* pass) {
          const std::unique_ptr<RenderPassAdapter> owned(&from(pass));
          return owned->submit();
        },
    .add_texture = [](wlr_render_pass* pass,
                      const wlr_render_texture_options* options) { from(pass).addTexture(*options); },
    .add_rect = [](wlr_render_pass* pass, const wlr_render_rect_options* options) { from(pass).addRect(*options); },
};

void fill(wlr_drm_format_set& set, std::span<const FormatModifier> formats) {
  for (const FormatModifier& format : formats)
    wlr_drm_format_set_add(&set, format.fourcc, format.modifier);
}

} // namespace

const wlr_renderer_impl RendererAdapter::impl = {
    .get_texture_formats = [](wlr_renderer* renderer, uint32_t caps) -> const wlr_drm_format_set* {
      if ((caps & WLR_BUFFER_CAP_DMABUF) != 0) return &from(renderer).dmabufFormats_;
      return (caps & WLR_BUFFER_CAP_DATA_PTR) != 0 ? &from(renderer).shmFormats_ : nullptr;
    },
    .get_render_formats = [](wlr_renderer* renderer) -> const wlr_drm_format_set* {
      return &from(renderer).targetFormats_;
    },
    .destroy = [](wlr_renderer* renderer) { delete &from(renderer); },
    .get_drm_fd = nullptr, // display and renderer may be different devices: there is no one answer
    .texture_from_buffer = [](wlr_renderer* renderer,
                              wlr_buffer* buffer) { return from(renderer).textures_.textureOf(*buffer); },
    .begin_buffer_pass = [](wlr_renderer* renderer, wlr_buffer* buffer,
                            const wlr_buffer_pass_options*) -> wlr_render_pass* {
      RendererAdapter& self = from(renderer);
      DmabufBuffer* dmabuf = DmabufBuffer::from(buffer);
      if (dmabuf == nullptr) return nullptr;
      const auto& target = dmabuf->target(self.renderer_);
      if (!target) {
        log("render").warn("{}", target.error().text());
        return nullptr;
      }
      return (new RenderPassAdapter(self.renderer_, *buffer, **target))->base();
    },
    .render_timer_create = nullptr,
};

RendererAdapter::RendererAdapter(Renderer& renderer) : textures_(base_, renderer), renderer_(renderer) {
  wlr_renderer_init(&base_, &impl, WLR_BUFFER_CAP_DMABUF);
  for (const uint32_t fourcc : renderer.uploadFormats())
    wlr_drm_format_set_add(&shmFormats_, fourcc, DRM_FORMAT_MOD_LINEAR);
  fill(dmabufFormats_, renderer.sampledFormats());
  fill(targetFormats_, renderer.targetFormats());
}

RendererAdapter::~RendererAdapter() {
  wlr_drm_format_set_finish(&shmFormats_);
  wlr_drm_format_set_finish(&dmabufFormats_);
  wlr_drm_format_set_finish(&targetFormats_);
}

wlr_renderer* RendererAdapter::create(Renderer& renderer) {
  return &(new RendererAdapter(renderer))->base_;
}

} // namespace vitrine
