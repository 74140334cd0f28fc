#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <iostream>
#include <set>

#include "compositor/output/composition.h"
#include "protected-path/heap/heap_allocator.h"
#include "protected-path/planes/planner.h"
#include "protected-path/tee/frame_filler.h"
#include "protected-path/vulkan/placeholder.h"
#include "tests/unit/leak_scene.h"
#include "tests/unit/renderer_fixture.h"
#include "tests/unit/vulkan_interposer.h"

// The property: whatever is shown, captured, refused, lost or failing, not one pixel of protected content is ever in
// memory that this process can read. Protected buffers hold a green secret, everything else has hardly any green.
// Composition, planner, renderer, heap, TEE and display are the real ones; only the commits are left out.

namespace vitrine::test {
namespace {

constexpr size_t pageBytes = 4096;
constexpr uintptr_t largestRegion = uintptr_t{16} << 30; ///< larger ones are a sanitizer's bookkeeping
constexpr int extent = 64;                               ///< of the output and of every buffer, in pixels
constexpr uint8_t mostGreen = PlaceholderPattern::stripe[1] + 4;
constexpr std::array<uint8_t, 4> secretPixel{0x37, 0xff, 0x13, 0xff}; ///< blue, green, red, alpha
constexpr uint8_t secretLuma = 150;                                   ///< with this chroma: green, (0, 231, 0)
constexpr std::array<uint8_t, 2> secretChroma{44, 21};
constexpr FrameFiller::Key key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr FrameFiller::Counter counter{};

/** The secret, encrypted, for a buffer laid out so; in the clear it is nowhere in this process. */
std::vector<std::byte> encryptedSecret(const Dmabuf& buffer) {
  std::vector<std::byte> bytes(buffer.sizeBytes()); // zeros, which become the key stream
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int written = 0;
  auto* raw = reinterpret_cast<unsigned char*>(bytes.data());
  EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), nullptr, key.data(), counter.data());
  EVP_EncryptUpdate(context, raw, &written, raw, static_cast<int>(bytes.size()));
  EVP_CIPHER_CTX_free(context);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const bool chroma = buffer.planeCount() == 2 && i >= buffer.plane(1).offsetBytes;
    const uint8_t yuv = chroma ? secretChroma[i % 2] : secretLuma;
    bytes[i] ^= std::byte{buffer.planeCount() == 2 ? yuv : secretPixel[i % 4]};
  }
  return bytes;
}

/** A dma-buf's exporter by /proc/self/fdinfo, or empty for any other file. */
std::string exporterOf(const std::string& fd) {
  std::error_code failed;
  const std::string link = std::filesystem::read_symlink("/proc/self/fd/" + fd, failed).string();
  if (failed || !link.starts_with("/dmabuf:")) return {};
  std::ifstream info("/proc/self/fdinfo/" + fd);
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("exp_name:")) return line.substr(line.find_first_not_of(" \t", 9));
  }
  return "?";
}

thread_local sigjmp_buf* unreachable = nullptr; ///< where to go on after a fault; null outside of readGuarded()

void onFault(int signal) {
  if (unreachable != nullptr) siglongjmp(*unreachable, 1);
  std::signal(signal, SIG_DFL); // not ours: comes again, and ends the program
}

/**
 * Copies memory that may turn out to be out of reach: a signal (SIGBUS where a mapping has no page behind it) ends the
 * copy. Returns the bytes copied. Not for a sanitizer to judge, which has its own opinion of what may be read.
 */
__attribute__((no_sanitize("address", "undefined"))) size_t readGuarded(const uint8_t* from, std::span<uint8_t> into) {
  static const bool guarded = [] {
    struct sigaction action{};
    action.sa_handler = onFault;
    return sigaction(SIGBUS, &action, nullptr) == 0 && sigaction(SIGSEGV, &action, nullptr) == 0;
  }();
  if (!guarded) return 0;
  volatile size_t copied = 0;
  sigjmp_buf here;
  if (sigsetjmp(here, 1) != 0) {
    unreachable = nullptr;
    return copied;
  }
  unreachable = &here;
  while (copied < into.size()) {
    const size_t end = std::min(into.size(), copied + pageBytes);
    for (size_t i = copied; i < end; ++i)
      into[i] = from[i];
    copied = end;
  }
  unreachable = nullptr;
  return copied;
}

/** What memory is copied into to be looked at; leaves no copy of what it has seen, for the next look would find that. */
class Glass {
public:
  explicit Glass(size_t size) : bytes_(size) {}
  Glass(const Glass&) = delete;
  Glass& operator=(const Glass&) = delete;
  ~Glass() { explicit_bzero(bytes_.data(), bytes_.size()); }
  [[nodiscard]] std::span<uint8_t> first(size_t size) { return std::span(bytes_).first(size); }

private:
  std::vector<uint8_t> bytes_;
};

/** Whether `bytes` has a run of a repeated pattern. The pattern is never laid out in memory, where it would be found. */
template<size_t Size>
bool hasRun(std::span<const uint8_t> bytes, const std::array<uint8_t, Size>& pattern) {
  constexpr size_t wanted = 32;
  size_t run = 0;
  for (const uint8_t byte : bytes) {
    run = byte == pattern[run % Size] ? run + 1 : byte == pattern[0] ? 1 : 0;
    if (run == wanted) return true;
  }
  return false;
}

/** Looks for green in every dma-buf of this process that can be mapped and read. What it finds, in words. */
std::optional<std::string> findGreenInBuffers(size_t& scanned) {
  std::set<ino_t> seen; // several fds may be of one buffer
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const std::string name = entry.path().filename().string();
    const std::string exporter = exporterOf(name);
    if (exporter.empty()) continue;
    const int fd = std::stoi(name);
    struct stat status{};
    if (fstat(fd, &status) != 0 || !seen.insert(status.st_ino).second) continue;
    const auto size = static_cast<size_t>(lseek(fd, 0, SEEK_END));
    void* mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) continue; // refused: nobody can read it
    Glass glass(size);
    const std::span<uint8_t> bytes = glass.first(size);
    const size_t got = readGuarded(static_cast<const uint8_t*>(mapped), bytes);
    munmap(mapped, size);
    if (got < size) continue; // mapped, and out of reach
    scanned += 1;
    for (size_t i = 1; i < got; i += 4) {
      if (bytes[i] > mostGreen) {
        return std::format("green {:#x} at byte {} of a {} byte buffer of {}", bytes[i], i, size, exporter);
      }
    }
  }
  return std::nullopt;
}

/** The pages of a range that there are (Documentation/admin-guide/mm/pagemap.rst); others hold nothing to be found. */
std::vector<bool> presentPages(int pagemap, uintptr_t begin, uintptr_t end) {
  constexpr uint64_t present = uint64_t{1} << 63;
  std::vector<uint64_t> entries((end - begin) / pageBytes);
  const ssize_t got = pread(pagemap, entries.data(), entries.size() * sizeof(uint64_t),
                            static_cast<off_t>(begin / pageBytes * sizeof(uint64_t)));
  std::vector<bool> pages(entries.size(), got < 0); // where the kernel does not tell: all
  for (size_t i = 0; i < static_cast<size_t>(std::max<ssize_t>(got, 0)) / sizeof(uint64_t); ++i)
    pages[i] = (entries[i] & present) != 0;
  return pages;
}

/** Runs of the secret in any page of this process that can be read. */
std::optional<std::string> findSecretInMemory(size_t& scannedBytes) {
  const UniqueFd pagemap(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  Glass glass(pageBytes);
  const std::span<uint8_t> bytes = glass.first(pageBytes);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char readable = '-';
    if (std::sscanf(line.c_str(), "%lx-%lx %c", &begin, &end, &readable) != 3 || readable != 'r') continue;
    if (end - begin > largestRegion) continue;
    // The map has no word on the pages of dma-bufs, which are no normal ones.
    const bool dmabuf = line.find("/dmabuf:") != std::string::npos;
    const std::vector<bool> pages =
        dmabuf ? std::vector<bool>((end - begin) / pageBytes, true) : presentPages(pagemap.get(), begin, end);
    for (size_t i = 0; i < pages.size(); ++i) {
      if (!pages[i]) continue;
      const size_t got = readGuarded(reinterpret_cast<const uint8_t*>(begin + i * pageBytes), bytes);
      scannedBytes += got;
      const std::span<const uint8_t> page = bytes.first(got);
      if (hasRun(page, secretPixel) || hasRun(page, secretChroma)) return "the secret in memory: " + line;
    }
  }
  return std::nullopt;
}

/** The machine that scenes are shown on. One for all of them: what one leaves behind, the next must cope with. */
class Machine {
public:
  /** Fails the test, and leaves `ready` false, where this machine cannot do it. */
  explicit Machine(bool validation);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();
  /** Shows a scene from its first frame on; what leaked, in words. */
  std::optional<std::string> show(const LeakScene& scene);

  bool ready = false;
  std::string lacks;
  size_t buffersScanned = 0;
  size_t framesShown = 0;
  size_t framesComposedProtected = 0;
  size_t recoveries = 0;
  [[nodiscard]] Renderer& renderer() { return *renderer_; }

private:
  static constexpr unsigned buffersPerKind = 3;
  void makeBuffers(const TeeDevice& tee);
  void addLayer(const LeakLayer& from, const LeakFrame& frame, Nanoseconds time);
  void listLayers(const LeakFrame& frame, Nanoseconds time);
  const Texture* upload(unsigned buffer);
  void showFrame(const LeakFrame& frame, Nanoseconds time);
  void capture(const LeakFrame& frame);
  void exhaustPool();

  HeapTable table_;
  std::optional<TeeDevice> tee_;
  std::unique_ptr<KmsDevice> display_;
  std::unique_ptr<Renderer> renderer_;
  std::unique_ptr<Inspector> inspector_;
  std::unique_ptr<OutputBuffers> source_;
  std::vector<Heap> heaps_;
  std::vector<TestBuffer> ordinaryMemory_;
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
  inspector_ = std::make_unique<Inspector>(
      InspectorSources{[this](std::string_view exporter) { return table_.exporterIsProtected(exporter); },
                       [this](int fd) { return teeAccepts(&*tee_, fd); }});
  source_ = std::make_unique<OutputBuffers>(OutputBuffers::Machine{*display_, *renderer_, table_, *inspector_});
  heaps_ = listHeaps(table_);
  nearest_.filter_mode = WLR_SCALE_FILTER_NEAREST;
  makeBuffers(*tee_);
}

Machine::~Machine() {
  for (const auto* buffers : {&ordinary_, &claimed_, &protected_}) {
    for (DmabufBuffer* buffer : *buffers)
      wlr_buffer_drop(buffer->base());
  }
}

void Machine::makeBuffers(const TeeDevice& tee) {
  auto filler = FrameFiller::open(tee, key, extent * extent * 4);
  ASSERT_TRUE(filler) << filler.error().text();
  constexpr uint32_t formats[buffersPerKind] = {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12};
  for (unsigned i = 0; i < buffersPerKind; ++i) {
    auto memory = allocateBuffer({.size = {extent, extent}, .fourcc = formats[i], .rowMultiple = 4}, heaps_, table_);
    ASSERT_TRUE(memory) << memory.error().text();
    auto registered = TeeMemory::registerDmabuf(tee, memory->buffer.plane(0).fd.get());
    ASSERT_TRUE(registered) << registered.error().text();
    const auto filled = filler->fill(*registered, encryptedSecret(memory->buffer), counter);
    ASSERT_TRUE(filled) << filled.error().text();
    protected_.push_back(DmabufBuffer::create(std::move(memory->buffer)));
    const Picture red(extent, extent, {static_cast<uint8_t>(0x40 * i), 0, 0xd0, 0xff});
    for (auto* list : {&ordinary_, &claimed_}) {
      ordinaryMemory_.push_back(TestBuffer::from(red, DRM_FORMAT_ARGB8888));
      auto copy = ordinaryMemory_.back().dmabuf().duplicate();
      ASSERT_TRUE(copy) << copy.error().text();
      if (list == &claimed_) copy->raiseEvidence(Evidence::Claimed);
      list->push_back(DmabufBuffer::create(std::move(*copy)));
    }
  }
  ready = true;
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
    layer.showRefusal = judge(dmabuf.evidence(), {OutputKind::Internal, frame.rule, false}, View::Secure).refusal;
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

void Machine::exhaustPool() {
  for (const Heap& heap : heaps_) {
    if (heap.heapClass != HeapClass::Protected) continue;
    for (uint64_t size = 128 << 20; size >= 4096; size /= 2) {
      while (auto fd = allocateFromHeap(heap, size))
        hog_.push_back(std::move(*fd));
    }
  }
}

/** As Output::submitWithFallback() does, without the commit. */
void Machine::showFrame(const LeakFrame& frame, Nanoseconds time) {
  uint32_t question = 0;
  const PlanTest test = [&](const FramePlan&) { return (frame.planeVerdicts >> (question++ % 32) & 1U) != 0; };
  bool failCommit = frame.commitFails;
  for (int attempt = 0; attempt < 6; ++attempt) {
    listLayers(frame, time);
    planner_->plan(layers_, test, plan_);
    const auto composed = composition_->render(layers_, sources_, plan_, time);
    if (!composed) {
      if (isDeviceLost(composed.error())) {
        // The platform's GPU gives up where somebody breaks the rules of protected memory: that would have been a leak.
        if (frame.fault.result != VK_ERROR_DEVICE_LOST) stopped_ = "the GPU stopped a protected access";
        recoveries += 1;
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
    } else if (plan_.composes && composition_->inProtectedMemory()) {
      composition_->refuseProtected(Refusal::PlaneCommitFailed, Composition::forGood);
    } else {
      break;
    }
  }
  if (plan_.composes) shown_ = BufferLock(composition_->current());
  composition_->releaseRetired();
  framesShown += 1;
  framesComposedProtected += composition_->inProtectedMemory() ? 1 : 0;
}

void Machine::capture(const LeakFrame& frame) {
  auto memory =
      display_->createDumbBuffer({extent, extent}, DRM_FORMAT_XRGB8888, renderer_->device().targetRowMultiple);
  ASSERT_TRUE(memory) << memory.error().text();
  const auto target = renderer_->importTarget(*memory);
  if (!target) return; // an injected failure
  if (const auto drawn = composition_->renderPublic(**target, layers_, sources_); !drawn) {
    if (!isDeviceLost(drawn.error())) return;
    if (frame.fault.function == nullptr) stopped_ = "the GPU stopped a protected access for a capture";
    recoveries += 1;
    static_cast<void>(renderer_->recover());
    return;
  }
  renderer_->waitIdle();
  EXPECT_FALSE(findGreenInBuffers(buffersScanned)) << "in a capture";
}

std::optional<std::string> Machine::show(const LeakScene& scene) {
  composition_ = std::make_unique<Composition>(*renderer_, *source_, Color{0.1F, 0, 0.2F, 1});
  EXPECT_TRUE(composition_->allocate({extent, extent}, DRM_FORMAT_ARGB8888));
  planner_.emplace(PlannerOutput{.size = {extent, extent},
                                 .crtcIndex = display_->crtcs()[0].index,
                                 .composedFourcc = DRM_FORMAT_ARGB8888},
                   display_->planes());
  std::optional<std::string> leak;
  Nanoseconds time = 1'000'000'000;
  for (const LeakFrame& frame : scene) {
    time += frame.later ? 2 * Composition::protectedLinger : 16'666'667;
    if (frame.poolExhausted) exhaustPool();
    if (frame.fault.function != nullptr) failCall(frame.fault.function, frame.fault.result, frame.fault.skip);
    showFrame(frame, time);
    if (frame.capture) capture(frame);
    static_cast<void>(failureHappened()); // and forgets the failure if it has not
    hog_.clear();
    renderer_->waitIdle();
    leak = stopped_ ? std::exchange(stopped_, std::nullopt) : findGreenInBuffers(buffersScanned);
    if (leak || testing::Test::HasFailure()) break;
  }
  shown_.reset();
  composition_.reset();
  return leak;
}

unsigned fromEnvironment(const char* name, unsigned otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? static_cast<unsigned>(std::strtoul(value, nullptr, 10)) : otherwise;
}

/** Shows `scenes` random scenes, each from a seed of its own from `seed` on; a leak fails the test with the smallest one. */
void showScenes(Machine& machine, unsigned seed, unsigned scenes) {
  size_t bytesScanned = 0;
  for (unsigned i = 0; i < scenes; ++i) {
    std::mt19937 random(seed + i);
    const LeakScene scene = randomScene(random, extent);
    if (const auto leak = machine.show(scene)) {
      const LeakScene small =
          shrink(scene, [&](const LeakScene& candidate) { return machine.show(candidate).has_value(); });
      FAIL() << "scene " << seed + i << ": " << *leak << "\nsmallest scene that leaks:\n" << describe(small);
    }
    ASSERT_FALSE(testing::Test::HasFailure()) << "scene " << seed + i << ":\n" << describe(scene);
    if (i % 500 == 499 || i + 1 == scenes) {
      const auto found = findSecretInMemory(bytesScanned);
      ASSERT_FALSE(found) << *found << " after scene " << seed + i << ":\n" << describe(scene);
    }
  }
  std::cout << scenes << " scenes, " << machine.framesShown << " frames, " << machine.framesComposedProtected
            << " in protected memory, " << machine.buffersScanned << " buffers and " << (bytesScanned >> 20)
            << " MiB of memory looked through, " << machine.recoveries << " GPU resets\n";
  EXPECT_GT(machine.framesComposedProtected, scenes / 4) << "the scenes do not test what they are for";
  EXPECT_GT(machine.buffersScanned, machine.framesShown) << "nothing was looked through";
}

/** VITRINE_LEAK_SEED repeats a run, VITRINE_LEAK_SCENES makes it longer. */
class Leak : public testing::TestWithParam<bool> {};

TEST_P(Leak, noSceneBringsProtectedPixelsIntoReadableMemory) {
  const bool validation = GetParam();
  Machine machine(validation);
  if (!machine.lacks.empty()) GTEST_SKIP() << machine.lacks;
  ASSERT_TRUE(machine.ready);
  const unsigned seed = fromEnvironment("VITRINE_LEAK_SEED", std::random_device{}());
  const unsigned scenes = fromEnvironment("VITRINE_LEAK_SCENES", 1000);
  std::cout << "VITRINE_LEAK_SEED=" << seed << std::endl; // now: a scene that hangs should be known
  showScenes(machine, seed, validation ? scenes / 10 : scenes);
  EXPECT_EQ(machine.renderer().counters().validationMessages, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, Leak, testing::Bool(),
                         [](const auto& one) { return one.param ? "withValidation" : "withoutValidation"; });

TEST(LeakDetector, seesASecretWhereThereIsOne) {
  size_t scanned = 0;
  EXPECT_FALSE(findGreenInBuffers(scanned));
  EXPECT_FALSE(findSecretInMemory(scanned));
  {
    // Written where it leaks to and nowhere else: a copy on the heap would be found by the tests that follow.
    auto leaked = TestBuffer::create({extent, extent}, DRM_FORMAT_XRGB8888);
    ASSERT_TRUE(leaked);
    for (size_t i = 0; i < leaked->row(0, 0).size(); ++i)
      leaked->row(0, 0)[i] = secretPixel[i % 4];
    EXPECT_TRUE(findGreenInBuffers(scanned));
    EXPECT_TRUE(findSecretInMemory(scanned)) << "it is mapped, too";
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
