#include "compositor/output/composition.h"

#include <algorithm>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

bool sameColor(const Color& a, const Color& b) {
  return a.red == b.red && a.green == b.green && a.blue == b.blue && a.alpha == b.alpha;
}

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

} // namespace

Composition::Composition(Renderer& renderer, OutputBufferAllocator& source, Color background, Place place)
    : renderer_(renderer), source_(source), place_(place),
      background_(place == Place::Bottom ? background : Color{.alpha = 0}) {}

Composition::~Composition() {
  leaveProtectedMemory();
  for (const OutputBufferSet& chain : retired_)
    static_cast<void>(clearAll(chain)); // even what is on the screen
}

Result<> Composition::allocate(Size size, uint32_t fourcc) {
  auto buffers = source_.ordinary(size, fourcc);
  if (!buffers) return std::unexpected(buffers.error());
  ordinary_ = std::move(*buffers);
  leaveProtectedMemory();
  size_ = size;
  fourcc_ = fourcc;
  items_.clear();
  fence_.reset();
  forgetRefusal();
  return {};
}

void Composition::free() {
  leaveProtectedMemory();
  releaseRetired();
  ordinary_ = {};
  items_.clear();
  fence_.reset();
  rendered_ = false;
}

bool Composition::sameLook(const Item& a, const Item& b) {
  const DrawCommand& x = a.command;
  const DrawCommand& y = b.command;
  return a.id == b.id && a.serial == b.serial && x.kind == y.kind && x.destination == y.destination &&
         x.source == y.source && x.transform == y.transform && x.alpha == y.alpha && sameColor(x.color, y.color) &&
         x.encoding == y.encoding && x.range == y.range && x.nearest == y.nearest;
}

Composition::Item Composition::itemFor(const Layer& layer, const LayerSource& source, Path path, bool hole) const {
  Item item{layer.id, source.contentSerial, {}, nullptr};
  DrawCommand& command = item.command;
  command.destination = layer.destination;
  command.alpha = static_cast<float>(layer.alpha) / 0xffff;
  if (hole) {
    command.kind = DrawCommand::Kind::Hole;
  } else if (path == Path::Placeholder || layer.showRefusal != Refusal::None ||
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
  }
  // What a hole or a placeholder looks like does not depend on what is behind it.
  if (command.kind == DrawCommand::Kind::Hole || command.kind == DrawCommand::Kind::Placeholder) item.serial = 0;
  return item;
}

bool Composition::isProtected(const Item& item) {
  const DrawCommand& command = item.command;
  return command.kind == DrawCommand::Kind::Texture && !command.texture->isPlaceholder() &&
         command.texture->protectedContent();
}

void Composition::addDamage(const Rect& box) {
  const Rect screen{0, 0, static_cast<int32_t>(size_.width), static_cast<int32_t>(size_.height)};
  const Rect visible = intersect(box, screen);
  if (visible.empty()) return;
  ordinary_.addDamage(visible);
  protected_.addDamage(visible);
}

/** What a GPU left behind that was reset meanwhile is nothing to build on. */
void Composition::distrustLostDevice() {
  if (generation_ == renderer_.generation()) return;
  generation_ = renderer_.generation();
  ordinary_.damageAll();
  protected_.damageAll();
}

void Composition::suspend() {
  leaveProtectedMemory();
  releaseRetired();
}

void Composition::addChange(const Item& item, const LayerSource& source, uint64_t oldSerial) {
  // Where only part of an shm buffer was updated, only that part is redrawn.
  const bool partial = source.adapter != nullptr && oldSerial != 0 && source.adapter->previousSerial() == oldSerial;
  if (partial) {
    int count = 0;
    const pixman_box32_t* boxes = pixman_region32_rectangles(&source.adapter->lastDamage(), &count);
    for (int i = 0; i < count; ++i) {
      const Rect box = mapped(boxes[i], item.command);
      if (box.empty()) {
        addDamage(item.command.destination);
        return;
      }
      addDamage(box);
    }
    return;
  }
  addDamage(item.command.destination);
}

void Composition::compareItems(std::span<const LayerSource> sources) {
  // Layers that stayed in their order differ only where they changed. What came, went or was restacked is redrawn.
  size_t old = 0;
  for (size_t i = 0; i < nextItems_.size(); ++i) {
    const Item& next = nextItems_[i];
    const auto same = std::ranges::find(items_.begin() + static_cast<ptrdiff_t>(old), items_.end(), next.id, &Item::id);
    if (same == items_.end()) {
      addDamage(next.command.destination);
      continue;
    }
    for (; items_.begin() + static_cast<ptrdiff_t>(old) != same; ++old)
      addDamage(items_[old].command.destination);
    ++old;
    if (sameLook(*same, next)) continue;
    const uint64_t oldSerial = same->serial;
    same->serial = next.serial;
    if (sameLook(*same, next)) {
      addChange(next, sources[nextSources_[i]], oldSerial);
    } else {
      addDamage(same->command.destination);
      addDamage(next.command.destination);
    }
  }
  for (; old < items_.size(); ++old)
    addDamage(items_[old].command.destination);
}

Refusal Composition::protectedRefusal(Nanoseconds time) const {
  return time < refusedUntil_ ? refusal_ : Refusal::None;
}

void Composition::refuseProtected(Refusal refusal, Nanoseconds until) {
  refusal_ = refusal;
  refusedUntil_ = until;
  lastProtected_ = 0; // nothing to linger for
}

/** Goes to protected memory where this frame needs it, and back where none has for a while. */
Result<> Composition::chooseMemory(bool needed, Nanoseconds time) {
  if (needed && !inProtectedMemory()) {
    auto buffers = source_.protectedMemory(size_, fourcc_);
    if (!buffers) {
      if (!isDeviceLost(buffers.error())) {
        refuseProtected(refusalOf(buffers.error(), Refusal::GpuImportFailed), time + protectedRetry);
      }
      return std::unexpected(buffers.error());
    }
    protected_ = std::move(*buffers);
    log("output").info("composing in protected memory: {} buffers of {}", protected_.slots().size(),
                       current()->dmabuf().describe());
  }
  if (needed) lastProtected_ = time;
  lingering_ = !needed && inProtectedMemory();
  if (lingering_ && time - lastProtected_ >= protectedLinger) leaveProtectedMemory();
  return {};
}

void Composition::leaveProtectedMemory() {
  if (!inProtectedMemory()) return;
  retired_.push_back(std::exchange(protected_, {}));
  lingering_ = false;
  log("output").info("composing in ordinary memory again");
}

Result<> Composition::render(std::span<const Layer> layers, std::span<const LayerSource> sources, const FramePlan& plan,
                             Nanoseconds time) {
  rendered_ = false;
  distrustLostDevice();
  const auto buffer = std::ranges::find(plan.composed(), place_ == Place::Bottom, &ComposedBuffer::bottom);
  if (buffer == plan.composed().end()) return chooseMemory(false, time);
  nextItems_.clear();
  nextSources_.clear();
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerOutcome& outcome = plan.layers[i];
    const bool onPlane = outcome.path == Path::Plane;
    // A layer on a plane below this buffer shows through a hole in it. Above the buffer it needs nothing drawn.
    const bool hole = onPlane && outcome.position < buffer->position;
    if (onPlane ? !hole : i < buffer->first || i >= buffer->end) continue;
    if (hole && nextItems_.empty() && place_ == Place::Above) continue; // transparent already
    nextItems_.push_back(itemFor(layers[i], sources[i], outcome.path, hole));
    nextSources_.push_back(i);
  }
  compareItems(sources);
  items_.swap(nextItems_);
  if (auto chosen = chooseMemory(std::ranges::any_of(items_, isProtected), time); !chosen) return chosen;
  OutputBufferSet& chain = active();
  if (chain.current().damage.empty()) return {};
  OutputBufferSet::Slot* slot = chain.pick();
  if (slot == nullptr) return invalid("compose", "output", "all composed buffers are on the screen");
  const auto& target = slot->buffer->target(renderer_);
  if (!target) return std::unexpected(target.error());
  auto fence = draw(**target, items_, slot->damage);
  if (!fence) return std::unexpected(fence.error());
  fence_ = std::move(*fence);
  chain.drawn(*slot);
  rendered_ = true;
  return {};
}

Result<> Composition::clear(DmabufBuffer& buffer) {
  const auto& target = buffer.target(renderer_);
  if (!target) return std::unexpected(target.error());
  const Rect whole{0, 0, static_cast<int32_t>(size_.width), static_cast<int32_t>(size_.height)};
  const DrawCommand black{.kind = DrawCommand::Kind::Hole, .destination = whole};
  auto done = renderer_.compose(**target, {&black, 1}, {&whole, 1}, {});
  return done ? Result<>() : std::unexpected(done.error());
}

void Composition::releaseRetired() {
  std::erase_if(retired_, [this](const OutputBufferSet& chain) {
    const auto& slots = chain.slots();
    if (std::ranges::any_of(slots, [](const auto& slot) { return slot.buffer->base()->n_locks > 0; })) return false;
    const auto cleared = clearAll(chain);
    if (!cleared) log("output").debug("{}; trying again with the next frame", cleared.error().text());
    return cleared.has_value();
  });
}

Result<> Composition::clearAll(const OutputBufferSet& chain) {
  for (const OutputBufferSet::Slot& slot : chain.slots())
    if (auto cleared = clear(*slot.buffer); !cleared) return cleared;
  return {};
}

Result<UniqueFd> Composition::renderPublic(RenderTarget& target, std::span<const Layer> layers,
                                           std::span<const LayerSource> sources, bool withCursor) {
  std::vector<Item> items;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (sources[i].isCursor && !withCursor) continue;
    const bool hidden = layers[i].protectedContent || sources[i].hiddenFromReaders;
    items.push_back(itemFor(layers[i], sources[i], hidden ? Path::Placeholder : Path::Composited, false));
  }
  const Rect whole{0, 0, static_cast<int32_t>(target.size().width), static_cast<int32_t>(target.size().height)};
  return draw(target, items, {&whole, 1});
}

void Composition::setBackground(Color background) {
  if (background == std::exchange(background_, background)) return;
  ordinary_.damageAll();
  protected_.damageAll();
}

Result<UniqueFd> Composition::draw(RenderTarget& target, std::span<const Item> items, std::span<const Rect> damage) {
  commands_.clear();
  DrawCommand background;
  background.destination = {0, 0, static_cast<int32_t>(target.size().width),
                            static_cast<int32_t>(target.size().height)};
  background.color = background_;
  background.blend = false;
  commands_.push_back(background);
  // What does not meet the damage is not drawn.
  const auto isDrawn = [damage](const Item& item) {
    return std::ranges::any_of(damage, [&](const Rect& box) { return overlaps(box, item.command.destination); });
  };
  for (const Item& item : items) {
    if (isDrawn(item)) commands_.push_back(item.command);
  }
  auto done =
      renderer_.compose(target, commands_, damage, {}); // R8: commits took effect when their fences had signalled
  if (!done || !done->isValid()) return done;
  for (const Item& item : items) {
    if (item.dmabuf == nullptr || !isDrawn(item)) continue;
    item.dmabuf->fences().readUntil(done->get());
  }
  return done;
}

} // namespace vitrine
