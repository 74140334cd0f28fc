#include "compositor/output/draw_list.h"

#include <algorithm>

#include "compositor/output/uncovered_region.h"

namespace vitrine {
namespace {

/** A box of a buffer's pixels, on the output: exact for content shown 1:1 and upright, else empty. */
Rect mapped(const pixman_box32_t& box, const DrawCommand& command) {
  const bool plain = command.transform == Transform::Normal && command.source.x.isWhole() &&
                     command.source.y.isWhole() &&
                     command.source.width == Fixed16_16::fromInt(static_cast<uint32_t>(command.destination.width)) &&
                     command.source.height == Fixed16_16::fromInt(static_cast<uint32_t>(command.destination.height));
  if (!plain) return {};
  const Rect moved{box.x1 - static_cast<int32_t>(command.source.x.whole()) + command.destination.x,
                   box.y1 - static_cast<int32_t>(command.source.y.whole()) + command.destination.y, box.x2 - box.x1,
                   box.y2 - box.y1};
  return intersect(moved, command.destination);
}

/** A box of the picture in pixels of a target that shows it from `x`, `y`. */
Rect inTarget(const Rect& box, int32_t x, int32_t y) {
  return {box.x - x, box.y - y, box.width, box.height};
}

DrawItem itemFor(const Layer& layer, const LayerSource& source, DrawList::Show show) {
  DrawItem item{.id = layer.id, .serial = source.contentSerial};
  DrawCommand& command = item.command;
  command.destination = layer.destination;
  command.alpha = static_cast<float>(layer.alpha) / 0xffff;
  if (show == DrawList::Show::Hole) {
    command.kind = DrawCommand::Kind::Hole;
  } else if (show == DrawList::Show::Placeholder || layer.showRefusal != Refusal::None ||
             (source.sceneBuffer != nullptr && source.texture == nullptr)) {
    command.kind = DrawCommand::Kind::Placeholder;
  } else if (source.sceneBuffer == nullptr) {
    command.kind = DrawCommand::Kind::Solid;
    command.color = source.color;
  } else {
    command.kind = DrawCommand::Kind::Texture;
    if (!source.texture->isPlaceholder()) item.dmabuf = source.dmabuf;
    command.texture = source.texture;
    command.source = layer.source;
    command.transform = layer.transform;
    command.nearest = source.sceneBuffer->filter_mode == WLR_SCALE_FILTER_NEAREST;
    command.encoding = layer.encoding;
    command.range = layer.range;
    command.chroma = layer.chroma;
  }
  // What a hole or a placeholder looks like does not depend on what is behind it.
  if (command.kind == DrawCommand::Kind::Hole || command.kind == DrawCommand::Kind::Placeholder) item.serial = 0;
  const bool solid = layer.alpha == 0xffff && (layer.opaque || command.kind == DrawCommand::Kind::Placeholder);
  item.hides = solid || command.kind == DrawCommand::Kind::Hole;
  command.blend = !item.hides; // what a client declares opaque replaces what lies under it, since that may not be drawn
  return item;
}

/** Damage of an item whose content alone has changed. If only part of an shm buffer was updated, that part is the damage. */
void addChange(const DrawItem& item, const LayerSource& source, uint64_t oldSerial, const DrawList::Damaged& damaged) {
  const bool partial = source.adapter != nullptr && oldSerial != 0 && source.adapter->previousSerial() == oldSerial;
  if (!partial) return damaged(item.command.destination);
  int count = 0;
  const pixman_box32_t* boxes = pixman_region32_rectangles(&source.adapter->lastDamage(), &count);
  for (int i = 0; i < count; ++i) {
    const Rect box = mapped(boxes[i], item.command);
    if (box.empty()) return damaged(item.command.destination);
    damaged(box);
  }
}

} // namespace

bool DrawList::sameLook(const DrawItem& a, const DrawItem& b) {
  const DrawCommand& x = a.command;
  const DrawCommand& y = b.command;
  return a.id == b.id && a.serial == b.serial && x.kind == y.kind && x.destination == y.destination &&
         x.source == y.source && x.transform == y.transform && x.alpha == y.alpha && x.color == y.color &&
         x.encoding == y.encoding && x.range == y.range && x.chroma == y.chroma && x.nearest == y.nearest &&
         x.blend == y.blend;
}

void DrawList::begin() {
  next_.clear();
  nextSources_.clear();
}

void DrawList::add(const Layer& layer, const LayerSource& source, Show show) {
  next_.push_back(itemFor(layer, source, show));
  nextSources_.push_back(&source);
}

void DrawList::finish(const Damaged& damaged) {
  // Layers that stayed in their order differ only where they changed. What came, went or was restacked is redrawn.
  size_t old = 0;
  for (size_t i = 0; i < next_.size(); ++i) {
    const DrawItem& next = next_[i];
    const auto same =
        std::ranges::find(items_.begin() + static_cast<ptrdiff_t>(old), items_.end(), next.id, &DrawItem::id);
    if (same == items_.end()) {
      damaged(next.command.destination);
      continue;
    }
    for (; items_.begin() + static_cast<ptrdiff_t>(old) != same; ++old)
      damaged(items_[old].command.destination);
    ++old;
    if (sameLook(*same, next)) continue;
    const uint64_t oldSerial = same->serial;
    same->serial = next.serial;
    if (sameLook(*same, next)) {
      addChange(next, *nextSources_[i], oldSerial, damaged);
    } else {
      damaged(same->command.destination);
      damaged(next.command.destination);
    }
  }
  for (; old < items_.size(); ++old)
    damaged(items_[old].command.destination);
  items_.swap(next_);
}

void DrawList::makePublic(std::span<const Layer> layers, std::span<const LayerSource> sources, bool withCursor,
                          const Damaged& damaged) {
  begin();
  for (size_t i = 0; i < layers.size(); ++i) {
    if (sources[i].isCursor && !withCursor) continue;
    const bool hidden = layers[i].protectedContent || sources[i].hiddenFromReaders;
    add(layers[i], sources[i], hidden ? Show::Placeholder : Show::Content);
  }
  finish(damaged);
}

bool DrawList::hasProtected() const {
  return std::ranges::any_of(items_, [](const DrawItem& item) {
    const DrawCommand& command = item.command;
    return command.kind == DrawCommand::Kind::Texture && !command.texture->isPlaceholder() &&
           command.texture->protectedContent();
  });
}

/** Finds the items that are to be seen in `damage`; false if they leave nothing of the background. */
bool DrawList::findSeen(std::span<const Rect> damage, int32_t x, int32_t y) {
  UncoveredRegion uncovered(damage);
  for (size_t i = items_.size(); i-- > 0;) {
    DrawItem& item = items_[i];
    const Rect destination = inTarget(item.command.destination, x, y);
    item.seen = uncovered.meets(destination);
    if (item.seen && item.hides) uncovered.cover(destination);
  }
  return !uncovered.empty();
}

Result<UniqueFd> DrawList::draw(Renderer& renderer, RenderTarget& target, const Color& background,
                                std::span<const Rect> damage, int32_t x, int32_t y) {
  commands_.clear();
  if (findSeen(damage, x, y)) {
    commands_.push_back(
        {.destination = {0, 0, static_cast<int32_t>(target.size().width), static_cast<int32_t>(target.size().height)},
         .color = background,
         .blend = false});
  }
  for (const DrawItem& item : items_) {
    if (!item.seen) continue;
    commands_.push_back(item.command);
    commands_.back().destination = inTarget(item.command.destination, x, y);
  }
  // R8: commits took effect when their fences had signalled, so there is nothing to wait for.
  auto done = renderer.compose(target, commands_, damage, {});
  if (!done || !done->isValid()) return done;
  for (const DrawItem& item : items_) {
    if (item.dmabuf != nullptr && item.seen) item.dmabuf->fences().readUntil(done->get());
  }
  return done;
}

} // namespace vitrine
