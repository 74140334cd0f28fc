#include "compositor/output/display_list_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "compositor/output/uncovered_region.h"

namespace vitrine {
namespace {

/** Whether the client says that the surface shows a video or a game: worth a plane before its rate is known. */
bool isVideo(const DisplayListBuilder::Context& context, wlr_surface* surface) {
  if (context.contentTypes == nullptr || surface == nullptr) return false;
  const wp_content_type_v1_type type = wlr_surface_get_content_type_v1(context.contentTypes, surface);
  return type == WP_CONTENT_TYPE_V1_TYPE_VIDEO || type == WP_CONTENT_TYPE_V1_TYPE_GAME;
}

constexpr double mostChanges = 60; ///< per second; what changes as often as a video is worth a plane

/** What is known of a scene node for as long as it lives, on whichever outputs it is shown. */
struct NodeRecord {
  wlr_addon addon{};
  /** No other node gets it. The node's address would be another node's as soon as this one is gone. */
  uint64_t id = 0;
  // How often its content changed, as a decaying estimate.
  uint64_t serial = 0;
  Nanoseconds lastChange = 0;
  double perSecond = 0;

  double changesPerSecond(uint64_t newSerial, Nanoseconds time);
  static void destroy(wlr_addon* addon) {
    NodeRecord* record = wl_container_of(addon, record, addon);
    wlr_addon_finish(addon);
    delete record;
  }
};

constexpr wlr_addon_interface nodeRecordImpl{.name = "vitrine_node_record", .destroy = &NodeRecord::destroy};

NodeRecord& recordOf(wlr_scene_node& node) {
  static uint64_t last = 0;
  if (wlr_addon* addon = wlr_addon_find(&node.addons, &nodeRecordImpl, &nodeRecordImpl)) {
    NodeRecord* record = wl_container_of(addon, record, addon);
    return *record;
  }
  auto* record = new NodeRecord{.id = ++last};
  wlr_addon_init(&record->addon, &node.addons, &nodeRecordImpl, &nodeRecordImpl);
  return *record;
}

double NodeRecord::changesPerSecond(uint64_t newSerial, Nanoseconds time) {
  constexpr double second = 1e9;
  const double since = static_cast<double>(std::max<Nanoseconds>(time - lastChange, 1)) / second;
  if (serial != newSerial) {
    const double instant = lastChange == 0 ? 0 : std::min(1 / since, 240.0);
    perSecond += (instant - perSecond) / 4;
    serial = newSerial;
    lastChange = time;
  } else if (since > 1) {
    perSecond = std::min(perSecond, 1 / since);
  }
  // Steps, not a continuum: a plan should not change because an estimate trembles.
  if (perSecond >= 10) return mostChanges;
  return perSecond >= 1 ? 5 : 0;
}

/** Whether the whole of a scene buffer is opaque: by its format, or by the region that its client declared. */
bool isOpaque(const wlr_scene_buffer& buffer, const FormatInfo* format, int width, int height) {
  if (buffer.opacity < 1.0F) return false;
  if (format != nullptr && !format->hasAlpha) return true;
  pixman_box32_t box{0, 0, width, height};
  return pixman_region32_contains_rectangle(&buffer.opaque_region, &box) == PIXMAN_REGION_IN;
}

/** From a buffer to the picture: undoes what the client has applied already (wl_surface.set_buffer_transform), turns as the picture. */
Transform transformOf(const wlr_scene_buffer& buffer, Transform picture) {
  return static_cast<Transform>(wlr_output_transform_compose(wlr_output_transform_invert(buffer.transform),
                                                             static_cast<wl_output_transform>(picture)));
}

Rect wholeOf(const Viewport& view) {
  return {0, 0, static_cast<int32_t>(view.size.width), static_cast<int32_t>(view.size.height)};
}

/** Whether a client shows this surface as its pointer (wl_pointer.set_cursor). */
bool isCursor(const wlr_surface* surface) {
  return surface != nullptr && surface->role != nullptr && std::string_view(surface->role->name) == "wl_pointer-cursor";
}

SourceRect sourceOf(const wlr_scene_buffer& buffer, Size size) {
  const wlr_fbox& box = buffer.src_box;
  if (box.width <= 0 || box.height <= 0) return SourceRect::whole(size);
  return {Fixed16_16::fromDouble(box.x), Fixed16_16::fromDouble(box.y), Fixed16_16::fromDouble(box.width),
          Fixed16_16::fromDouble(box.height)};
}

} // namespace

DisplayListBuilder::DisplayListBuilder(KmsDevice& display, Renderer& renderer, const ColorRepresentationManager& colors)
    : display_(display), renderer_(renderer), colors_(colors), cursors_(display) {}

void DisplayListBuilder::build(const Context& context) {
  layers_.clear();
  sources_.clear();
  int x = 0;
  int y = 0;
  wlr_scene_node_coords(&context.root->node, &x, &y);
  walkChildren(context, *context.root, x, y);
  if (context.above != nullptr) walk(context, context.above->node, 0, 0);
  dropCovered(wholeOf(context.view));
}

void DisplayListBuilder::walk(const Context& context, wlr_scene_node& node, int x, int y) {
  if (!node.enabled) return;
  x += node.x;
  y += node.y;
  switch (node.type) {
  case WLR_SCENE_NODE_TREE: {
    const bool wasInCursor = std::exchange(inCursor_, inCursor_ || &node == context.cursor);
    walkChildren(context, *wlr_scene_tree_from_node(&node), x, y);
    inCursor_ = wasInCursor;
    break;
  }
  case WLR_SCENE_NODE_RECT:
    addSolid(context, *wlr_scene_rect_from_node(&node), x, y);
    break;
  case WLR_SCENE_NODE_BUFFER:
    addBuffer(context, *wlr_scene_buffer_from_node(&node), x, y);
    break;
  }
}

void DisplayListBuilder::walkChildren(const Context& context, wlr_scene_tree& tree, int x, int y) {
  wlr_scene_node* child = nullptr;
  wl_list_for_each(child, &tree.children, link) walk(context, *child, x, y);
}

Rect DisplayListBuilder::toPicture(const Viewport& view, int x, int y, int width, int height) {
  // Edges are rounded, not sizes, so that neighbours stay neighbours at fractional scales.
  const auto edge = [&](int value, int origin) {
    return static_cast<int32_t>(std::lround((value - origin) * view.scale));
  };
  const int32_t left = edge(x, view.x);
  const int32_t top = edge(y, view.y);
  wlr_box box{left, top, edge(x + width, view.x) - left, edge(y + height, view.y) - top};
  const bool turned = swapsAxes(view.transform);
  const auto uprightWidth = static_cast<int>(turned ? view.size.height : view.size.width);
  const auto uprightHeight = static_cast<int>(turned ? view.size.width : view.size.height);
  const auto transform = static_cast<wl_output_transform>(view.transform);
  wlr_box_transform(&box, &box, wlr_output_transform_invert(transform), uprightWidth, uprightHeight);
  return {box.x, box.y, box.width, box.height};
}

void DisplayListBuilder::addSolid(const Context& context, wlr_scene_rect& rect, int x, int y) {
  Layer layer;
  layer.id = recordOf(rect.node).id;
  layer.destination = toPicture(context.view, x, y, rect.width, rect.height);
  layer.opaque = rect.color[3] >= 1.0F;
  layer.planeRefusal = Refusal::PlaneNotDmabuf;
  LayerSource source;
  const float alpha = rect.color[3]; // premultiplied there, straight here
  const float unmultiply = alpha > 0 ? 1 / alpha : 0;
  source.color = {rect.color[0] * unmultiply, rect.color[1] * unmultiply, rect.color[2] * unmultiply, alpha};
  for (const float channel : rect.color)
    source.contentSerial = source.contentSerial * 257 + static_cast<uint64_t>(channel * 65535.0F);
  if (!overlaps(layer.destination, wholeOf(context.view))) return;
  layers_.push_back(layer);
  sources_.push_back(source);
}

bool DisplayListBuilder::findContent(wlr_scene_buffer& buffer, Layer& layer, LayerSource& source) {
  source.sceneBuffer = &buffer;
  if (wlr_client_buffer* client = wlr_client_buffer_get(buffer.buffer)) {
    TextureAdapter* adapter = TextureAdapter::from(client->texture);
    if (adapter == nullptr) return false;
    source.adapter = adapter;
    source.dmabuf = adapter->dmabuf();
    source.texture = adapter->texture();
    if (source.dmabuf == nullptr && source.texture == nullptr) return false; // could not be uploaded: nothing to show
    source.contentSerial = adapter->serial();
    layer.composeRefusal = adapter->composeRefusal();
    layer.bufferSize = {client->texture->width, client->texture->height};
  } else if (DmabufBuffer* own = DmabufBuffer::from(buffer.buffer)) { // cursor images
    const auto& texture = own->texture(renderer_);
    source.dmabuf = own;
    source.texture = texture ? texture->get() : nullptr;
    source.contentSerial = reinterpret_cast<uintptr_t>(own);
    if (!texture) layer.composeRefusal = refusalOf(texture.error(), Refusal::GpuImportFailed);
    layer.bufferSize = own->dmabuf().size();
  } else {
    return false;
  }
  if (wlr_scene_surface* surface = wlr_scene_surface_try_from_buffer(&buffer)) source.surface = surface->surface;
  return true;
}

void DisplayListBuilder::addBuffer(const Context& context, wlr_scene_buffer& buffer, int x, int y) {
  Layer layer;
  LayerSource source;
  if (buffer.buffer == nullptr || !findContent(buffer, layer, source)) return;
  source.isCursor = inCursor_;
  NodeRecord& record = recordOf(buffer.node);
  layer.id = record.id;
  const bool turned = swapsAxes(static_cast<Transform>(buffer.transform));
  const auto naturalWidth = static_cast<int>(turned ? layer.bufferSize.height : layer.bufferSize.width);
  const auto naturalHeight = static_cast<int>(turned ? layer.bufferSize.width : layer.bufferSize.height);
  const int width = buffer.dst_width > 0 ? buffer.dst_width : naturalWidth;
  const int height = buffer.dst_height > 0 ? buffer.dst_height : naturalHeight;
  layer.destination = toPicture(context.view, x, y, width, height);
  if (!overlaps(layer.destination, wholeOf(context.view))) return;
  layer.source = sourceOf(buffer, layer.bufferSize);
  useCursorCopy(buffer, layer, source);
  layer.transform = transformOf(buffer, context.view.transform);
  layer.alpha = static_cast<uint16_t>(std::lround(std::clamp(buffer.opacity, 0.0F, 1.0F) * 0xffff));
  const FormatInfo* format =
      source.dmabuf != nullptr ? &source.dmabuf->dmabuf().format() : formatInfo(source.texture->fourcc());
  layer.opaque = isOpaque(buffer, format, width, height) && !isCursor(source.surface); // a copy has a margin
  const ColorRepresentation colors = colors_.of(source.surface, layer.bufferSize);
  layer.encoding = colors.encoding;
  layer.range = colors.range;
  layer.chroma = colors.chroma;
  layer.changesPerSecond = record.changesPerSecond(source.contentSerial, context.time);
  judgeLayer(context, layer, source);
  // A plane is always worth it for what would otherwise bring the whole output into protected memory.
  if (layer.protectedContent || isVideo(context, source.surface)) layer.changesPerSecond = mostChanges;
  layers_.push_back(layer);
  sources_.push_back(source);
}

/** Shows a client's cursor from scanout memory, and our own cursor images pixel by pixel, so that a plane can take them. */
void DisplayListBuilder::useCursorCopy(const wlr_scene_buffer& buffer, Layer& layer, LayerSource& source) {
  const bool ownImage = source.surface == nullptr && source.adapter == nullptr && source.dmabuf != nullptr;
  if (isCursor(source.surface) && source.adapter != nullptr && source.dmabuf == nullptr &&
      buffer.transform == WL_OUTPUT_TRANSFORM_NORMAL && layer.source == SourceRect::whole(layer.bufferSize)) {
    const Size shown{static_cast<uint32_t>(layer.destination.width), static_cast<uint32_t>(layer.destination.height)};
    DmabufBuffer* copy = cursors_.copyOf(*source.adapter, shown);
    if (copy == nullptr) return;
    const auto& texture = copy->texture(renderer_);
    if (!texture || (*texture)->isPlaceholder()) return;
    source.dmabuf = copy;
    source.texture = texture->get();
    source.adapter = nullptr;
    layer.bufferSize = copy->dmabuf().size();
  } else if (!ownImage) {
    return;
  }
  layer.source = SourceRect::whole(layer.bufferSize);
  layer.destination.width = static_cast<int32_t>(layer.bufferSize.width);
  layer.destination.height = static_cast<int32_t>(layer.bufferSize.height);
}

void DisplayListBuilder::judgeLayer(const Context& context, Layer& layer, LayerSource& source) {
  const ProtectionRequirements required = requirementsOf(source.surface);
  source.hiddenFromReaders = required.hidesFromReaders();
  source.wantedHdcp = std::max(required.hdcp, required.wantedHdcp);
  if (source.dmabuf == nullptr) {
    layer.planeRefusal = Refusal::PlaneNotDmabuf;
    layer.showRefusal = judgeRequirements(required, Evidence::None, context.facts);
    return;
  }
  const Dmabuf& dmabuf = source.dmabuf->dmabuf();
  layer.fourcc = dmabuf.fourcc();
  layer.modifier = dmabuf.modifier();
  source.evidence = dmabuf.evidence();
  layer.protectedContent = dmabuf.noMap();
  if (layer.protectedContent && context.facts.rule == OutputRule::Automatic)
    source.wantedHdcp = std::max(source.wantedHdcp, context.facts.neededHdcp);
  layer.showRefusal = judge(dmabuf.evidence(), context.facts, View::Secure).refusal;
  if (layer.showRefusal == Refusal::None)
    layer.showRefusal = judgeRequirements(required, dmabuf.evidence(), context.facts);
  if (layer.protectedContent && layer.composeRefusal == Refusal::None) {
    layer.composeRefusal =
        context.planeUse == PlaneUse::PlaneOnly ? Refusal::CompositionConfiguredOff : context.protectedRefusal;
  }
  if (context.planeUse == PlaneUse::CompositeOnly) {
    layer.planeRefusal = Refusal::PlaneConfiguredOff;
  } else if (layer.showRefusal == Refusal::None && context.planner->fitsAnyPlane(layer)) {
    // A framebuffer maps the buffer for the display: not for what no plane takes anyway.
    const auto& framebuffer = source.dmabuf->framebuffer(display_, false);
    if (!framebuffer) layer.planeRefusal = Refusal::PlaneFramebufferRefused;
  }
}

/** Drops the layers that opaque ones hide, one of them or several together. The pointer hides nothing: captures may leave it out. */
void DisplayListBuilder::dropCovered(const Rect& picture) {
  UncoveredRegion uncovered({&picture, 1});
  size_t first = layers_.size(); // what is kept gathers at the end
  for (size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    if (!uncovered.meets(layer.destination)) continue;
    if (layer.opaque && layer.alpha == 0xffff && !sources_[i].isCursor) uncovered.cover(layer.destination);
    if (--first == i) continue;
    layers_[first] = layers_[i];
    sources_[first] = sources_[i];
  }
  layers_.erase(layers_.begin(), layers_.begin() + static_cast<ptrdiff_t>(first));
  sources_.erase(sources_.begin(), sources_.begin() + static_cast<ptrdiff_t>(first));
}

} // namespace vitrine
