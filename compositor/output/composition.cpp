#include "compositor/output/composition.h"

#include <algorithm>

#include "protected-path/base/log.h"
#include "protected-path/dmabuf/sync_file.h"

namespace vitrine {
namespace {

constexpr size_t bufferCount = 3; // one shown, one queued, one to draw into
constexpr size_t maximumDamageBoxes = 16;

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

Composition::Composition(Renderer& renderer, const KmsDevice& device, Color background)
    : renderer_(renderer), device_(device), background_(background) {}

Composition::~Composition() {
  dropBuffers();
}

void Composition::dropBuffers() {
  for (const Buffer& buffer : buffers_)
    wlr_buffer_drop(buffer.buffer->base());
  buffers_.clear();
}

Result<> Composition::allocate(Size size, uint32_t fourcc) {
  dropBuffers();
  size_ = size;
  items_.clear();
  fence_.reset();
  current_ = 0;
  for (size_t i = 0; i < bufferCount; ++i) {
    auto buffer = device_.createDumbBuffer(size, fourcc, renderer_.device().targetRowMultiple);
    if (!buffer) return std::unexpected(buffer.error());
    const Rect whole{0, 0, static_cast<int32_t>(size.width), static_cast<int32_t>(size.height)};
    buffers_.push_back({DmabufBuffer::create(std::move(*buffer)), {whole}});
  }
  return {};
}

bool Composition::sameLook(const Item& a, const Item& b) {
  const DrawCommand& x = a.command;
  const DrawCommand& y = b.command;
  return a.id == b.id && a.serial == b.serial && x.kind == y.kind && x.destination == y.destination &&
         x.source == y.source && x.transform == y.transform && x.alpha == y.alpha && sameColor(x.color, y.color) &&
         x.encoding == y.encoding && x.range == y.range && x.nearest == y.nearest;
}

Composition::Item Composition::itemFor(const Layer& layer, const LayerSource& source, Path path, bool underlay) const {
  Item item{layer.id, source.contentSerial, {}, nullptr};
  DrawCommand& command = item.command;
  command.destination = layer.destination;
  command.alpha = static_cast<float>(layer.alpha) / 0xffff;
  if (underlay) {
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

void Composition::addDamage(Rect box) {
  const Rect screen{0, 0, static_cast<int32_t>(size_.width), static_cast<int32_t>(size_.height)};
  box = intersect(box, screen);
  if (box.empty()) return;
  for (Buffer& buffer : buffers_) {
    // Disjoint by joining what overlaps: redrawing a little too much is right, drawing a translucent pixel twice is not.
    Rect joined = box;
    for (bool grown = true; grown;) {
      const size_t before = buffer.damage.size();
      std::erase_if(buffer.damage, [&](const Rect& other) {
        if (!overlaps(other, joined)) return false;
        joined = unite(other, joined);
        return true;
      });
      grown = buffer.damage.size() != before;
    }
    buffer.damage.push_back(joined);
    if (buffer.damage.size() > maximumDamageBoxes) {
      Rect all;
      for (const Rect& other : buffer.damage)
        all = unite(all, other);
      buffer.damage.assign(1, all);
    }
  }
}

void Composition::addChange(const Item& item, const LayerSource* source, uint64_t oldSerial) {
  // Where only part of an shm buffer was updated, only that part is redrawn.
  const bool partial = source != nullptr && source->adapter != nullptr && oldSerial != 0 &&
                       source->adapter->previousSerial() == oldSerial;
  if (partial) {
    int count = 0;
    const pixman_box32_t* boxes = pixman_region32_rectangles(&source->adapter->lastDamage(), &count);
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
  // The same layers in the same order differ only where they changed; any other difference redraws what came and what went.
  const bool sameOrder = std::ranges::equal(items_, nextItems_, {}, &Item::id, &Item::id);
  for (size_t i = 0; i < nextItems_.size(); ++i) {
    const Item& next = nextItems_[i];
    const LayerSource& source = sources[nextSources_[i]];
    if (!sameOrder) {
      addChange(next, nullptr, 0);
    } else if (Item same = items_[i]; !sameLook(same, next)) {
      same.serial = next.serial;
      if (sameLook(same, next)) {
        addChange(next, &source, items_[i].serial);
      } else {
        addDamage(items_[i].command.destination);
        addDamage(next.command.destination);
      }
    }
  }
  if (!sameOrder) {
    for (const Item& old : items_)
      addDamage(old.command.destination);
  }
}

size_t Composition::pickBuffer() const {
  // A buffer that KMS holds is locked; among the free ones the least damaged is the cheapest.
  size_t best = buffers_.size();
  const auto area = [](const Buffer& buffer) {
    int64_t sum = 0;
    for (const Rect& box : buffer.damage)
      sum += int64_t{box.width} * box.height;
    return sum;
  };
  for (size_t i = 0; i < buffers_.size(); ++i) {
    if (buffers_[i].buffer->base()->n_locks > 0) continue;
    if (best == buffers_.size() || area(buffers_[i]) < area(buffers_[best])) best = i;
  }
  return best;
}

Result<> Composition::render(std::span<const Layer> layers, std::span<const LayerSource> sources,
                             const FramePlan& plan) {
  rendered_ = false;
  if (!plan.composes) return {};
  nextItems_.clear();
  nextSources_.clear();
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerOutcome& outcome = plan.layers[i];
    // Under a plane that lies above the primary nothing needs to be drawn; under the primary there must be a hole.
    if (outcome.path == Path::Plane && !outcome.underlay) continue;
    nextItems_.push_back(itemFor(layers[i], sources[i], outcome.path, outcome.path == Path::Plane && outcome.underlay));
    nextSources_.push_back(i);
  }
  compareItems(sources);
  items_.swap(nextItems_);
  if (buffers_[current_].damage.empty()) return {};
  const size_t next = pickBuffer();
  if (next == buffers_.size()) return invalid("compose", "output", "all composed buffers are on the screen");
  Buffer& buffer = buffers_[next];
  const auto& target = buffer.buffer->target(renderer_);
  if (!target) return std::unexpected(target.error());
  auto fence = draw(**target, items_, buffer.damage);
  if (!fence) return std::unexpected(fence.error());
  fence_ = std::move(*fence);
  buffer.damage.clear();
  current_ = next;
  rendered_ = true;
  return {};
}

Result<> Composition::renderPublic(RenderTarget& target, std::span<const Layer> layers,
                                   std::span<const LayerSource> sources) {
  std::vector<Item> items;
  for (size_t i = 0; i < layers.size(); ++i) {
    const bool hidden = layers[i].protectedContent;
    items.push_back(itemFor(layers[i], sources[i], hidden ? Path::Placeholder : Path::Composited, false));
  }
  const Rect whole{0, 0, static_cast<int32_t>(target.size().width), static_cast<int32_t>(target.size().height)};
  auto fence = draw(target, items, {&whole, 1});
  if (!fence) return std::unexpected(fence.error());
  return {}; // readers go through the same queue, after it
}

Result<UniqueFd> Composition::draw(RenderTarget& target, std::span<const Item> items, std::span<const Rect> damage) {
  commands_.clear();
  waits_.clear();
  DrawCommand background;
  background.destination = {0, 0, static_cast<int32_t>(target.size().width),
                            static_cast<int32_t>(target.size().height)};
  background.color = background_;
  background.blend = false;
  commands_.push_back(background);
  for (const Item& item : items) {
    commands_.push_back(item.command);
    if (item.dmabuf == nullptr) continue;
    // Clients without explicit sync: their fences travel in the dma-buf.
    auto fence = exportSyncFile(item.dmabuf->dmabuf().plane(0).fd.get(), FenceUse::Read);
    if (fence) waits_.push_back(std::move(*fence));
  }
  auto done = renderer_.compose(target, commands_, damage, waits_);
  if (!done || !done->isValid()) return done;
  for (const Item& item : items) {
    if (item.dmabuf == nullptr) continue;
    if (auto told = importSyncFile(item.dmabuf->dmabuf().plane(0).fd.get(), done->get(), FenceUse::Read); !told) {
      log("output").debug("{}", told.error().text());
    }
  }
  return done;
}

} // namespace vitrine
