#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <fcntl.h>

#include "compositor/output/composition.h"
#include "protected-path/planes/planner.h"
#include "tests/leak/buffers.h"
#include "tests/leak/detector.h"
#include "tests/leak/stage.h"
#include "tests/unit/renderer_fixture.h"
#include "tests/unit/vulkan_interposer.h"

// The property: with all that is shown, captured, refused, lost or failing, not one pixel of protected content is ever in
// memory that this process can read. Protected buffers hold a green secret, everything else has hardly any green.
// Composition, planner, renderer, heap, TEE and display are the real ones; only the commits are left out.

namespace vitrine::test {
namespace {

constexpr int extent = LeakBuffers::extent; ///< of the output too

/** Frames, without a compositor around them: a scene's layers are a flat list, from the lowest. */
class Machine final : public LeakStage {
public:
  /** Leaves words in `lacks` where this machine cannot do it. */
  explicit Machine(bool validation);
  ~Machine() override;
  std::optional<std::string> show(const LeakScene& scene) override;

  std::string lacks;
  [[nodiscard]] Renderer& renderer() { return *renderer_; }

private:
  static constexpr unsigned buffersPerKind = LeakBuffers::perKind;
  Result<> makeBuffers();
  void addLayer(const LeakLayer& from, const LeakFrame& frame, Nanoseconds time);
  void listLayers(const LeakFrame& frame, Nanoseconds time);
  const Texture* upload(unsigned buffer);
  void showFrame(const LeakFrame& frame, Nanoseconds time);
  std::optional<std::string> capture(const LeakFrame& frame);

  HeapTable table_;
  HeapKnowledge knowledge_;
  std::optional<TeeDevice> tee_;
  std::unique_ptr<KmsDevice> display_;
  std::unique_ptr<Renderer> renderer_;
  Inspector inspector_ = inspectorFor(table_);
  std::unique_ptr<OutputBufferAllocator> source_;
  std::vector<Heap> heaps_;
  std::vector<DmabufBuffer*> ordinary_;
  std::vector<DmabufBuffer*> claimed_;
  std::vector<DmabufBuffer*> protected_;
  std::unique_ptr<Texture> uploads_[buffersPerKind];
  uint64_t uploadGeneration_ = 0;
  wlr_scene_buffer linear_{};
  wlr_scene_buffer nearest_{};

  // of the scene
  std::unique_ptr<Composition> composition_;
  std::optional<Planner> planner_;
  BufferLock shown_;
  std::vector<Layer> layers_;
  std::vector<LayerSource> sources_;
  FramePlan plan_;
  std::vector<UniqueFd> hog_; ///< what fills the pool
  std::optional<std::string> stopped_;
  uint64_t serial_ = 0;
};

Machine::Machine(bool validation) {
  const auto nodes = KmsDevice::listNodes();
  if (nodes.empty()) {
    lacks = "no KMS device with a connector";
    return;
  }
  auto display = KmsDevice::open(UniqueFd(open(nodes[0].c_str(), O_RDWR | O_CLOEXEC)), nodes[0]);
  auto renderer = Renderer::create({.validation = validation});
  auto tee = TeeDevice::open();
  if (!display || !renderer || !tee) {
    lacks = !display ? display.error().text() : !renderer ? renderer.error().text() : tee.error().text();
    return;
  }
  display_ = std::move(*display);
  renderer_ = std::move(*renderer);
  tee_ = std::move(*tee);
  if (!renderer_->device().gpu.protectedMemory) {
    lacks = "the Vulkan device has no protected memory";
    return;
  }
  source_ = std::make_unique<OutputBufferAllocator>(
      OutputBufferAllocator::Machine{*display_, *renderer_, table_, knowledge_});
  heaps_ = listHeaps(table_);
  nearest_.filter_mode = WLR_SCALE_FILTER_NEAREST;
  if (const auto made = makeBuffers(); !made) lacks = made.error().text();
}

Machine::~Machine() {
  for (const auto* buffers : {&ordinary_, &claimed_, &protected_}) {
    for (DmabufBuffer* buffer : *buffers)
      wlr_buffer_drop(buffer->base());
  }
}

Result<> Machine::makeBuffers() {
  auto buffers = LeakBuffers::create(*tee_, heaps_, table_);
  if (!buffers) return std::unexpected(buffers.error());
  for (Dmabuf& memory : buffers->protectedContent)
    protected_.push_back(DmabufBuffer::create(std::move(memory)));
  for (Dmabuf& memory : buffers->ordinary) {
    auto claimed = memory.duplicate();
    if (!claimed) return std::unexpected(claimed.error());
    claimed->raiseEvidence(Evidence::Claimed);
    claimed_.push_back(DmabufBuffer::create(std::move(*claimed)));
    ordinary_.push_back(DmabufBuffer::create(std::move(memory)));
  }
  return {};
}

const Texture* Machine::upload(unsigned buffer) {
  if (uploadGeneration_ != renderer_->generation()) {
    for (auto& texture : uploads_)
      texture.reset();
    uploadGeneration_ = renderer_->generation();
  }
  if (uploads_[buffer] == nullptr) {
    const Picture picture(extent, extent, {0xc0, 0, static_cast<uint8_t>(0x50 * buffer), 0xff});
    auto made = renderer_->upload(picture.size(), DRM_FORMAT_ARGB8888, picture.strideBytes(), picture.bytes());
    if (made) uploads_[buffer] = std::move(*made);
  }
  return uploads_[buffer].get();
}

/** As DisplayListBuilder makes a layer of a scene buffer. */
void Machine::addLayer(const LeakLayer& from, const LeakFrame& frame, Nanoseconds time) {
  Layer layer;
  LayerSource source;
  layer.id = layers_.size() + 1;
  layer.destination = from.destination;
  layer.transform = from.transform;
  layer.alpha = static_cast<uint16_t>(from.alpha * 0xffff);
  layer.bufferSize = {extent, extent};
  const auto part = [](int value) { return Fixed16_16::fromInt(static_cast<uint32_t>(value)); };
  layer.source = {part(from.source.x), part(from.source.y), part(from.source.width), part(from.source.height)};
  layer.changesPerSecond = 60;
  source.contentSerial = ++serial_;
  if (from.content == LeakLayer::Content::Solid) {
    layer.planeRefusal = Refusal::PlaneNotDmabuf;
    source.color = {0.8F, 0, 0.3F, 1};
  } else {
    source.sceneBuffer = from.nearest ? &nearest_ : &linear_;
  }
  if (from.content == LeakLayer::Content::Upload) {
    layer.planeRefusal = Refusal::PlaneNotDmabuf;
    source.texture = upload(from.buffer);
    if (source.texture == nullptr) return;
  }
  const std::vector<DmabufBuffer*>* buffers = from.content == LeakLayer::Content::Ordinary          ? &ordinary_
                                              : from.content == LeakLayer::Content::ClaimedOrdinary ? &claimed_
                                              : from.content == LeakLayer::Content::Protected       ? &protected_
                                                                                                    : nullptr;
  if (buffers != nullptr) {
    source.dmabuf = (*buffers)[from.buffer];
    const Dmabuf& dmabuf = source.dmabuf->dmabuf();
    const auto& texture = source.dmabuf->texture(*renderer_);
    source.texture = texture ? texture->get() : nullptr;
    source.evidence = dmabuf.evidence();
    layer.composeRefusal = texture ? (*texture)->refusal() : refusalOf(texture.error(), Refusal::GpuImportFailed);
    layer.fourcc = dmabuf.fourcc();
    layer.modifier = dmabuf.modifier();
    layer.protectedContent = dmabuf.noMap();
    layer.showRefusal = judge(dmabuf.evidence(), {OutputKind::Internal, frame.rule}, View::Secure).refusal;
    if (layer.protectedContent && layer.composeRefusal == Refusal::None) {
      layer.composeRefusal = composition_->protectedRefusal(time);
    }
    layer.opaque = !dmabuf.format().hasAlpha && from.alpha >= 1;
  }
  layers_.push_back(layer);
  sources_.push_back(source);
}

void Machine::listLayers(const LeakFrame& frame, Nanoseconds time) {
  layers_.clear();
  sources_.clear();
  for (const LeakLayer& layer : frame.layers)
    addLayer(layer, frame, time);
}

/** As Output::submitWithFallback() does, without the commit. */
void Machine::showFrame(const LeakFrame& frame, Nanoseconds time) {
  uint32_t question = 0;
  const PlanTest test = [&](const FramePlan&) -> Result<> {
    if ((frame.planeVerdicts >> (question++ % 32) & 1U) == 0) return systemError("TEST_ONLY", "a plan", EINVAL);
    return {};
  };
  bool failCommit = frame.commitFails;
  for (int attempt = 0; attempt < 6; ++attempt) {
    listLayers(frame, time);
    planner_->plan(layers_, time, test, plan_);
    const auto composed = composition_->render(layers_, sources_, plan_, time);
    if (!composed) {
      if (isDeviceLost(composed.error())) {
        // The platform's GPU gives up where somebody breaks the rules of protected memory: that would have been a leak.
        if (frame.fault.result != VK_ERROR_DEVICE_LOST) stopped_ = "the GPU stopped a protected access";
        account_.recoveries += 1;
        static_cast<void>(renderer_->recover()); // may fail too, and is tried again with the next attempt
      } else if (composition_->protectedRefusal(time) == Refusal::None) {
        return;
      }
      continue;
    }
    if (!failCommit) break;
    failCommit = false;
    if (plan_.planesUsed() > 0) {
      planner_->commitFailed(layers_, plan_);
    } else if (plan_.composes() && composition_->inProtectedMemory()) {
      composition_->refuseProtected(Refusal::PlaneCommitFailed, Composition::forGood);
    } else {
      break;
    }
  }
  if (plan_.composes()) shown_ = BufferLock(composition_->current());
  composition_->releaseRetired();
  account_.frames += 1;
  account_.inProtectedMemory += composition_->inProtectedMemory() ? 1 : 0;
}

std::optional<std::string> Machine::capture(const LeakFrame& frame) {
  auto memory =
      display_->createDumbBuffer({extent, extent}, DRM_FORMAT_XRGB8888, renderer_->device().targetRowMultiple);
  if (!memory) return memory.error().text();
  const auto target = renderer_->importTarget(*memory);
  if (!target) return std::nullopt; // an injected failure
  DrawList list;
  list.makePublic(layers_, sources_, true, [](const Rect&) {});
  const Rect whole{0, 0, extent, extent};
  if (const auto drawn = list.draw(*renderer_, **target, {}, {&whole, 1}); !drawn) {
    if (!isDeviceLost(drawn.error())) return std::nullopt;
    account_.recoveries += 1;
    static_cast<void>(renderer_->recover());
    if (frame.fault.function == nullptr) return "the GPU stopped a protected access for a capture";
    return std::nullopt;
  }
  account_.captures += 1;
  renderer_->waitIdle();
  return search();
}

std::optional<std::string> Machine::show(const LeakScene& scene) {
  composition_ = std::make_unique<Composition>(*renderer_, *source_, Color{0.1F, 0, 0.2F, 1});
  EXPECT_TRUE(composition_->allocate({extent, extent}, DRM_FORMAT_ARGB8888));
  const auto primary = std::ranges::find(display_->planes(), PlaneType::Primary, &Plane::type);
  planner_.emplace(
      PlannerOutput{.size = {extent, extent}, .primaryId = primary->id, .composedFourcc = DRM_FORMAT_ARGB8888},
      display_->planes());
  std::optional<std::string> leak;
  Nanoseconds time = 1'000'000'000;
  for (const LeakFrame& frame : scene) {
    time += frame.later ? 2 * Composition::protectedLinger : 16'666'667;
    if (frame.poolExhausted) hog_ = exhaustProtected(heaps_);
    if (frame.fault.function != nullptr) failCall(frame.fault.function, frame.fault.result, frame.fault.skip);
    showFrame(frame, time);
    if (frame.capture) leak = capture(frame);
    static_cast<void>(failureHappened()); // and forgets the failure if it has not
    hog_.clear();
    renderer_->waitIdle();
    if (!leak) leak = stopped_ ? std::exchange(stopped_, std::nullopt) : search();
    if (leak || testing::Test::HasFailure()) break;
  }
  shown_.reset();
  composition_.reset();
  return leak;
}

class Leak : public testing::TestWithParam<bool> {};

TEST_P(Leak, noSceneBringsProtectedPixelsIntoReadableMemory) {
  const bool validation = GetParam();
  Machine machine(validation);
  if (!machine.lacks.empty()) GTEST_SKIP() << machine.lacks;
  showScenes(machine, leakSeed(), leakScenes(1000, validation));
  EXPECT_EQ(machine.renderer().counters().validationMessages, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, Leak, testing::Bool(),
                         [](const auto& one) { return one.param ? "withValidation" : "withoutValidation"; });

TEST(LeakDetector, seesASecretWhereThereIsOne) {
  EXPECT_FALSE(searchBuffers().found);
  EXPECT_FALSE(searchMemory().found);
  {
    // Written where it leaks to and nowhere else: a copy on the heap would be found by the tests that follow.
    auto leaked = TestBuffer::create({extent, extent}, DRM_FORMAT_XRGB8888);
    ASSERT_TRUE(leaked);
    for (size_t i = 0; i < leaked->row(0, 0).size(); ++i)
      leaked->row(0, 0)[i] = secretPixel[i % 4];
    EXPECT_TRUE(searchBuffers().found);
    EXPECT_TRUE(searchMemory().found) << "it is mapped, too";
  }
}

TEST(LeakScenes, shrinkToWhatMatters) {
  std::mt19937 random(7);
  LeakScene scene;
  while (scene.size() < 3)
    scene = randomScene(random, extent);
  scene[1].layers.push_back({.content = LeakLayer::Content::Protected, .alpha = 0.5F});
  scene[1].capture = true;
  const auto fails = [](const LeakScene& candidate) {
    for (const LeakFrame& frame : candidate) {
      for (const LeakLayer& layer : frame.layers) {
        if (frame.capture && layer.alpha == 0.5F) return true;
      }
    }
    return false;
  };
  const LeakScene small = shrink(scene, fails);
  ASSERT_EQ(small.size(), 1U);
  EXPECT_EQ(small[0].layers.size(), 1U) << describe(small);
  EXPECT_EQ(small[0].planeVerdicts, 0U);
}

} // namespace
} // namespace vitrine::test
