#include "compositor/output/composition.h"

#include <algorithm>

#include "protected-path/base/log.h"

namespace vitrine {
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
  items_.begin();
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerOutcome& outcome = plan.layers[i];
    const bool onPlane = outcome.path == Path::Plane;
    // A layer on a plane below this buffer shows through a hole in it. Above the buffer it needs nothing drawn.
    const bool hole = onPlane && outcome.position < buffer->position;
    if (onPlane ? !hole : i < buffer->first || i >= buffer->end) continue;
    if (hole && items_.empty() && place_ == Place::Above) continue; // transparent already
    using Show = DrawList::Show;
    const Show show = outcome.path == Path::Placeholder ? Show::Placeholder : Show::Content;
    items_.add(layers[i], sources[i], hole ? Show::Hole : show);
  }
  items_.finish([this](const Rect& box) { addDamage(box); });
  if (auto chosen = chooseMemory(items_.hasProtected(), time); !chosen) return chosen;
  OutputBufferSet& chain = active();
  if (chain.current().damage.empty()) return {};
  OutputBufferSet::Slot* slot = chain.pick();
  if (slot == nullptr) return invalid("compose", "output", "all composed buffers are on the screen");
  const auto& target = slot->buffer->target(renderer_);
  if (!target) return std::unexpected(target.error());
  auto fence = items_.draw(renderer_, **target, background_, slot->damage);
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

void Composition::setBackground(Color background) {
  if (background == std::exchange(background_, background)) return;
  ordinary_.damageAll();
  protected_.damageAll();
}

} // namespace vitrine
