#include <gtest/gtest.h>

#include <drm_fourcc.h>

#include <algorithm>
#include <random>

#include "protected-path/dmabuf/layout.h"
#include "protected-path/heap/heap_allocator.h"
#include "protected-path/heap/heap_solver.h"

namespace vitrine {
namespace {

Heap heap(const char* name, int openErrno = 0) {
  const Refusal refusal = openErrno == 0 ? Refusal::None : Refusal::HeapNoPermission;
  return {name, std::string("/dev/dma_heap/") + name, HeapTable().classify(name), refusal, openErrno, std::nullopt};
}

std::vector<Heap> heaps(std::initializer_list<const char*> names) {
  std::vector<Heap> result;
  for (const char* name : names)
    result.push_back(heap(name));
  return result;
}

constexpr BufferRequest video{{1920, 1080}, DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR, true, 64};
constexpr BufferRequest picture{{1920, 1080}, DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR, false, 64};

std::string candidates(const HeapChoice& choice) {
  std::string text;
  for (const HeapVerdict& verdict : choice.candidates)
    text += (text.empty() ? "" : " ") + verdict.heap.name;
  return text;
}

struct ChoiceCase {
  const char* machine;
  std::vector<Heap> heaps;
  const char* forVideo;   ///< candidates, best first
  Refusal videoRefusal;   ///< where there is none
  const char* forPicture; ///< candidates for ordinary content
};

TEST(HeapSolver, PicksOnKnownMachines) {
  const ChoiceCase cases[] = {
      {"none", {}, "", Refusal::HeapAbsent, ""},
      {"PC", heaps({"system"}), "", Refusal::HeapAbsent, "system"},
      {"mainline", heaps({"default_cma_region", "protected,secure-video", "system"}), "protected,secure-video",
       Refusal::None, "system default_cma_region"},
      {"mainline, all",
       heaps({"protected,secure-video", "protected,secure-video-record", "protected,trusted-ui", "system"}),
       "protected,secure-video protected,secure-video-record protected,trusted-ui", Refusal::None, "system"},
      {"ChromeOS on MediaTek", heaps({"restricted_mtk_cm", "restricted_mtk_cma", "system"}), "restricted_mtk_cma",
       Refusal::None, "system"},
      {"Pixel",
       heaps({"faimg-secure", "framebuffer-secure", "system", "tui-secure", "vframe-secure", "vscaler-secure",
              "vstream-secure"}),
       "vframe-secure framebuffer-secure tui-secure vscaler-secure vstream-secure", Refusal::None, "system"},
      {"Qualcomm",
       heaps({"qcom,demura", "qcom,qseecom", "qcom,secure-non-pixel", "qcom,secure-pixel", "system-secure", "system"}),
       "qcom,secure-pixel system-secure", Refusal::None, "system"},
      {"Amlogic", heaps({"heap-codecmm", "heap-gfx", "heap-secure", "heap-secure-codecmm"}),
       "heap-secure-codecmm heap-secure", Refusal::None, ""},
      {"mainline beside a vendor's", heaps({"vframe-secure", "protected,trusted-ui"}),
       "protected,trusted-ui vframe-secure", Refusal::None, ""},
      {"confidential machine", heaps({"system_cc_shared", "system", "reserved"}), "", Refusal::HeapAbsent,
       "system reserved system_cc_shared"},
      {"only working memory", heaps({"qcom,secure-non-pixel", "mfc_fw-secure"}), "", Refusal::HeapAbsent, ""},
      {"nobody's heaps", heaps({"glass", "water"}), "", Refusal::HeapAbsent, ""},
  };
  for (const ChoiceCase& one : cases) {
    const HeapChoice choice = chooseHeap(video, one.heaps);
    EXPECT_EQ(candidates(choice), one.forVideo) << one.machine;
    EXPECT_EQ(choice.refusal, one.videoRefusal) << one.machine;
    EXPECT_EQ(choice.candidates.size() + choice.rejected.size(), one.heaps.size()) << one.machine;
    EXPECT_FALSE(choice.explanation.empty()) << one.machine;
    EXPECT_EQ(candidates(chooseHeap(picture, one.heaps)), one.forPicture) << one.machine;
  }
}

TEST(HeapSolver, RejectsWithReasonAndWords) {
  struct Case {
    Heap heap;
    const BufferRequest& request;
    Refusal refusal;
    const char* words;
  };
  const Case cases[] = {
      {heap("system"), video, Refusal::HeapUnsuitable, "ordinary memory: the CPU can read it"},
      {heap("restricted_mtk_cm"), video, Refusal::HeapUnsuitable,
       "protected, but for firmware or bitstreams: nothing there can be shown"},
      {heap("glass"), video, Refusal::HeapUnsuitable, "no rule knows this name; an override file can say what it is"},
      {heap("vframe-secure", EACCES), video, Refusal::HeapNoPermission,
       "the heap's node may not be opened: EACCES (13)"},
      {heap("vframe-secure"), picture, Refusal::HeapUnsuitable,
       "not known as ordinary memory, which this content needs"},
      {heap("glass"), picture, Refusal::HeapUnsuitable, "not known as ordinary memory, which this content needs"},
  };
  for (const Case& one : cases) {
    const HeapChoice choice = chooseHeap(one.request, std::span(&one.heap, 1));
    ASSERT_EQ(choice.rejected.size(), 1U) << one.heap.name;
    EXPECT_EQ(choice.rejected[0].refusal, one.refusal) << one.heap.name;
    EXPECT_EQ(choice.rejected[0].words, one.words) << one.heap.name;
  }
}

TEST(HeapSolver, ExplainsWhatIsMissing) {
  const HeapChoice absent = chooseHeap(video, heaps({"system"}));
  EXPECT_TRUE(absent.explanation.starts_with("no heap of class protected: looked for protected,*"))
      << absent.explanation;

  const std::vector<Heap> closed = {heap("protected,secure-video", EACCES), heap("system")};
  const HeapChoice denied = chooseHeap(video, closed);
  EXPECT_EQ(denied.refusal, Refusal::HeapNoPermission);
  EXPECT_TRUE(denied.explanation.contains("open /dev/dma_heap/protected,secure-video: EACCES (13)"))
      << denied.explanation;
  EXPECT_TRUE(denied.explanation.contains("60-vitrine-heaps.rules")) << denied.explanation;
}

TEST(HeapSolver, AHeapWhoseBuffersCanBeMappedIsNotTakenAgain) {
  std::vector<Heap> machine = heaps({"secure_display_region", "system"});
  EXPECT_EQ(candidates(chooseHeap(video, machine)), "secure_display_region") << "not tried yet";
  for (const Evidence evidence : {Evidence::None, Evidence::Suspect}) {
    machine[0].evidence = evidence;
    const HeapChoice choice = chooseHeap(video, machine);
    EXPECT_TRUE(choice.candidates.empty());
    EXPECT_EQ(choice.refusal, Refusal::HeapUnproven);
    EXPECT_EQ(choice.explanation,
              "/dev/dma_heap/secure_display_region: the heap's name says protected, but its buffers can be "
              "mapped by the CPU");
  }
  for (const Evidence evidence : {Evidence::Unmappable, Evidence::KernelProtected}) {
    machine[0].evidence = evidence;
    EXPECT_EQ(candidates(chooseHeap(video, machine)), "secure_display_region");
  }
  machine.push_back(heap("vframe-secure", EACCES));
  machine[0].evidence = Evidence::Suspect;
  EXPECT_EQ(chooseHeap(video, machine).refusal, Refusal::HeapNoPermission) << "which can be helped";
}

/** What a consumer's facts and answers do to the heaps of one machine. */
TEST(HeapSolver, NoHeapThatAConsumerCannotUse) {
  using Content = ConsumerFacts::Content;
  const FormatModifier nv12{DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR};
  const FormatModifier rgb{DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR};
  const ConsumerFacts plane{.name = "plane", .formats = {nv12}};
  const ConsumerFacts rgbPlane{.name = "plane", .formats = {rgb}};
  const ConsumerFacts bare{.name = "plane", .contiguous = true};
  const ConsumerFacts gpu{.name = "GPU", .content = Content::OrdinaryOnly};
  const ConsumerFacts tee{.name = "TEE", .content = Content::ProtectedOnly};
  std::vector<Heap> machine =
      heaps({"mtk_svp_page-uncached", "mtk_svp_region-aligned", "default_cma_region", "system"});
  for (Heap& heap : machine)
    heap.memory = HeapTable().memoryOf(heap.name);
  struct Case {
    const char* what;
    std::vector<ConsumerFacts> consumers;
    const BufferRequest& request;
    const char* candidates;
    Refusal refusal;
    const char* explanation;
  };
  const Case cases[] = {
      {"a plane with an IOMMU",
       {plane},
       video,
       "mtk_svp_page-uncached mtk_svp_region-aligned",
       Refusal::None,
       "mtk_svp_page-uncached: vendor heap for video"},
      {"a plane without one",
       {bare},
       video,
       "mtk_svp_region-aligned",
       Refusal::None,
       "mtk_svp_region-aligned: vendor heap for video"},
      {"ordinary content, no IOMMU",
       {bare},
       picture,
       "default_cma_region",
       Refusal::None,
       "default_cma_region: ordinary memory"},
      {"ordinary content", {rgbPlane}, picture, "system default_cma_region", Refusal::None, "system: ordinary memory"},
      {"a plane without the format",
       {tee, rgbPlane},
       video,
       "",
       Refusal::ConsumersDisagree,
       "plane does not take NV12 LINEAR"},
      {"a GPU without protected memory",
       {plane, gpu},
       video,
       "",
       Refusal::ConsumersDisagree,
       "GPU takes no protected content"},
      {"a TEE with ordinary content",
       {tee},
       picture,
       "",
       Refusal::ConsumersDisagree,
       "TEE takes protected content only"},
  };
  for (const Case& one : cases) {
    BufferRequest request = one.request;
    request.consumers = one.consumers;
    const HeapChoice choice = chooseHeap(request, machine);
    EXPECT_EQ(candidates(choice), one.candidates) << one.what;
    EXPECT_EQ(choice.refusal, one.refusal) << one.what;
    EXPECT_EQ(choice.explanation, one.explanation) << one.what;
    EXPECT_EQ(choice.candidates.size() + choice.rejected.size(), machine.size()) << one.what;
  }
}

TEST(HeapSolver, GoesByWhatWasLearned) {
  const FormatModifier nv12{DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR};
  const ConsumerFacts plane{.name = "plane 42 (vkms)"};
  BufferRequest request = video;
  request.consumers = std::span(&plane, 1);
  std::vector<Heap> machine = heaps({"protected,secure-video", "vframe-secure"});
  const auto choose = [&] { return chooseHeap(request, machine); };
  EXPECT_EQ(candidates(choose()), "protected,secure-video vframe-secure");
  machine[0].answers = {{plane.name, nv12, Refusal::PlaneFramebufferRefused, "ADDFB2: EINVAL (22)"}};
  EXPECT_EQ(candidates(choose()), "vframe-secure");
  EXPECT_EQ(choose().rejected[0].words, "plane 42 (vkms) refused its buffer: ADDFB2: EINVAL (22)");
  machine[0].answers[0].consumer = "plane 42 (another driver)";
  EXPECT_EQ(candidates(choose()), "protected,secure-video vframe-secure") << "another consumer's answer";
  machine[0].answers[0].consumer = plane.name;
  machine[0].answers[0].format.fourcc = DRM_FORMAT_P010;
  EXPECT_EQ(candidates(choose()), "protected,secure-video vframe-secure") << "an answer about another format";
  machine[0].fullAtBytes = 1 << 20;
  EXPECT_EQ(candidates(choose()), "vframe-secure protected,secure-video") << "had no room for less";
  machine[0].fullAtBytes = 1 << 30;
  EXPECT_EQ(candidates(choose()), "protected,secure-video vframe-secure") << "had no room for more";
  machine[0].poolBytes = 1 << 20;
  EXPECT_EQ(candidates(choose()), "vframe-secure");
  EXPECT_EQ(choose().rejected[0].words, "holds 1048576 bytes in all; the buffer has 3112960");
}

TEST(HeapSolver, AHeapThatStopsTheMachineComesLastAndAnswersNoQuestion) {
  std::vector<Heap> machine = heaps({"protected@2a8000000", "vframe-secure"});
  machine[0].memory = HeapTable().memoryOf(machine[0].name);
  EXPECT_EQ(machine[0].memory, HeapMemory::Growing);
  BufferRequest request = video;
  EXPECT_EQ(candidates(chooseHeap(request, machine)), "vframe-secure protected@2a8000000");
  request.question = true;
  EXPECT_EQ(candidates(chooseHeap(request, machine)), "vframe-secure");
  const HeapChoice alone = chooseHeap(request, std::span(machine.data(), 1));
  EXPECT_EQ(alone.refusal, Refusal::HeapDisturbs);
}

TEST(HeapSolver, DecidesAlikeInAnyOrderAndNeverTakesReadableMemory) {
  const std::vector<const char*> pool = {"system",
                                         "glass",
                                         "protected,secure-video",
                                         "vframe-secure",
                                         "restricted_mtk_cm",
                                         "restricted_mtk_cma",
                                         "tui-secure",
                                         "default_cma_region",
                                         "nonsecure",
                                         "sdp"};
  std::mt19937 random(20260701);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Heap> machine;
    for (const char* name : pool) {
      if (random() % 2 == 0) machine.push_back(heap(name, random() % 4 == 0 ? EACCES : 0));
    }
    const HeapChoice choice = chooseHeap(video, machine);
    for (const HeapVerdict& verdict : choice.candidates) {
      EXPECT_EQ(verdict.heap.heapClass, HeapClass::Protected);
      EXPECT_EQ(verdict.heap.openErrno, 0);
    }
    for (const HeapVerdict& verdict : choice.rejected)
      EXPECT_NE(verdict.refusal, Refusal::None);
    EXPECT_EQ(choice.candidates.empty(), choice.refusal != Refusal::None);
    std::ranges::shuffle(machine, random);
    EXPECT_EQ(candidates(chooseHeap(video, machine)), candidates(choice));
  }
}

TEST(BufferLayout, ByTable) {
  struct Case {
    uint32_t fourcc;
    Size size;
    uint32_t alignment;
    std::vector<uint32_t> strides;
    std::vector<uint32_t> offsets;
    uint64_t sizeBytes;
  };
  const Case cases[] = {
      {DRM_FORMAT_NV12, {1920, 1080}, 64, {1920, 1920}, {0, 2073600}, 3112960},
      {DRM_FORMAT_NV12, {1280, 720}, 64, {1280, 1280}, {0, 921600}, 1384448},
      {DRM_FORMAT_NV12, {33, 17}, 64, {64, 64}, {0, 1088}, 4096},
      {DRM_FORMAT_NV12, {1, 1}, 64, {64, 64}, {0, 64}, 4096},
      {DRM_FORMAT_NV12, {129, 3}, 1, {129, 130}, {0, 387}, 4096},
      {DRM_FORMAT_P010, {1920, 1080}, 64, {3840, 3840}, {0, 4147200}, 6221824},
      {DRM_FORMAT_YUV420, {1920, 1080}, 64, {1920, 960, 960}, {0, 2073600, 2592000}, 3112960},
      {DRM_FORMAT_YUV420, {1900, 2}, 64, {1920, 960, 960}, {0, 3840, 4800}, 8192},
      {DRM_FORMAT_NV24, {100, 10}, 64, {128, 256}, {0, 1280}, 4096},
      {DRM_FORMAT_NV16, {100, 10}, 64, {128, 128}, {0, 1280}, 4096},
      {DRM_FORMAT_XRGB8888, {1920, 1080}, 64, {7680}, {0}, 8294400},
      {DRM_FORMAT_XRGB8888, {1, 1}, 256, {256}, {0}, 4096},
      {DRM_FORMAT_XRGB8888, {16384, 16384}, 64, {65536}, {0}, 1073741824},
  };
  for (const Case& one : cases) {
    const auto layout = layoutFor({one.size, one.fourcc, DRM_FORMAT_MOD_LINEAR, true, one.alignment});
    const std::string name = fourccName(one.fourcc) + " " + std::to_string(one.size.width);
    ASSERT_TRUE(layout) << name << layout.error().text();
    ASSERT_EQ(layout->planeCount, one.strides.size()) << name;
    for (unsigned i = 0; i < layout->planeCount; ++i) {
      EXPECT_EQ(layout->strideBytes[i], one.strides[i]) << name << " plane " << i;
      EXPECT_EQ(layout->offsetBytes[i], one.offsets[i]) << name << " plane " << i;
    }
    EXPECT_EQ(layout->sizeBytes, one.sizeBytes) << name;
  }
}

TEST(BufferLayout, LeavesRoomForWholeBlocksOfRows) {
  const BufferRequest request{.size = {64, 33}, .fourcc = DRM_FORMAT_XRGB8888, .rowMultiple = 32};
  const auto layout = layoutFor(request);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->sizeBytes, 64U * 4 * 64);
  EXPECT_EQ(layoutFor({.size = {64, 33}, .fourcc = DRM_FORMAT_XRGB8888})->sizeBytes, 3U * 4096) << "without";
}

TEST(BufferLayout, SuitsAllConsumers) {
  struct Case {
    std::vector<ConsumerFacts> consumers;
    std::vector<uint32_t> strides;
    std::vector<uint32_t> offsets;
  };
  const ConsumerFacts display{.name = "display"};
  const ConsumerFacts gpu{.name = "GPU", .strideAlignmentBytes = 256};
  const ConsumerFacts decoder{.name = "decoder", .strideAlignmentBytes = 96, .rowMultiple = 32};
  const ConsumerFacts paged{.name = "scaler", .planeAlignmentBytes = 4096};
  const Case cases[] = {
      {{display}, {1920, 1920}, {0, 2073600}},      {{display, gpu}, {2048, 2048}, {0, 2211840}},
      {{decoder}, {1920, 1920}, {0, 2088960}},      // 1088 rows: what the decoder writes
      {{gpu, decoder}, {2304, 2304}, {0, 2506752}}, // 768: the least common multiple of 256 and 96
      {{paged}, {1920, 1920}, {0, 2076672}},        {{paged, gpu, decoder, display}, {2304, 2304}, {0, 2506752}},
  };
  for (const Case& one : cases) {
    BufferRequest request = video;
    request.consumers = one.consumers;
    const auto layout = layoutFor(request);
    ASSERT_TRUE(layout) << layout.error().text();
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(layout->strideBytes[i], one.strides[i]) << one.consumers.front().name << " plane " << i;
      EXPECT_EQ(layout->offsetBytes[i], one.offsets[i]) << one.consumers.front().name << " plane " << i;
    }
  }
  const ConsumerFacts absurd{.name = "prime", .strideAlignmentBytes = 65521};
  BufferRequest request = video;
  request.consumers = std::span(&absurd, 1);
  const auto refusedLayout = layoutFor(request);
  ASSERT_FALSE(refusedLayout);
  EXPECT_EQ(refusedLayout.error().text(),
            "join alignments with prime: ConsumersDisagree: nothing suits all who will write or read the buffer");
}

TEST(BufferLayout, Refuses) {
  struct Case {
    Size size;
    uint32_t fourcc;
    uint64_t modifier;
    Refusal refusal;
  };
  constexpr Case cases[] = {
      {{0, 1}, DRM_FORMAT_NV12, 0, Refusal::SizeInvalid},
      {{1, 0}, DRM_FORMAT_NV12, 0, Refusal::SizeInvalid},
      {{16385, 1}, DRM_FORMAT_NV12, 0, Refusal::SizeInvalid},
      {{1, 0xffffffff}, DRM_FORMAT_NV12, 0, Refusal::SizeInvalid},
      {{64, 64}, 0x20202020, 0, Refusal::FormatUnknown},
      {{64, 64}, DRM_FORMAT_NV12, I915_FORMAT_MOD_X_TILED, Refusal::ModifierUnsupported},
      {{64, 64}, DRM_FORMAT_NV12, DRM_FORMAT_MOD_INVALID, Refusal::ModifierUnsupported},
  };
  for (const Case& one : cases) {
    const auto layout = layoutFor({one.size, one.fourcc, one.modifier, true, 64});
    ASSERT_FALSE(layout) << refusalName(one.refusal);
    EXPECT_EQ(refusalOf(layout.error(), Refusal::None), one.refusal) << layout.error().text();
  }
}

/** What the solver lays out, the inspector's checks take: for every format, random sizes and alignments. */
TEST(BufferLayout, PassesItsOwnChecks) {
  std::mt19937 random(6);
  for (const FormatInfo& format : allFormats()) {
    for (int round = 0; round < 200; ++round) {
      const Size size{static_cast<uint32_t>(random() % 5000 + 1), static_cast<uint32_t>(random() % 5000 + 1)};
      const uint32_t alignment = 1U << (random() % 9);
      const auto layout = layoutFor({size, format.fourcc, DRM_FORMAT_MOD_LINEAR, true, alignment});
      ASSERT_TRUE(layout) << layout.error().text();
      DmabufNumbers numbers{
          size, format.fourcc, DRM_FORMAT_MOD_LINEAR, layout->planeCount, layout->offsetBytes, layout->strideBytes, {}};
      numbers.dmabufSizeBytes.fill(layout->sizeBytes);
      ASSERT_TRUE(checkShape(numbers));
      const auto bounds = checkBounds(numbers, format);
      ASSERT_TRUE(bounds) << bounds.error().text();
      EXPECT_EQ(layout->sizeBytes % 4096, 0U);
      for (unsigned i = 0; i < layout->planeCount; ++i)
        EXPECT_EQ(layout->strideBytes[i] % alignment, 0U) << format.name;
    }
  }
}

TEST(HeapAllocator, SaysWhichNodeFailedAndHow) {
  const auto absent =
      allocateFromHeap({"x", "/nowhere/dma_heap/x", HeapClass::Protected, Refusal::None, 0, std::nullopt}, 4096);
  ASSERT_FALSE(absent);
  EXPECT_EQ(refusalOf(absent.error(), Refusal::None), Refusal::HeapAbsent);
  EXPECT_EQ(absent.error().text(),
            "open /nowhere/dma_heap/x: HeapAbsent: no heap of the needed class exists: ENOENT (2)");

  // A file that is no heap: the ioctl's errno is kept.
  const auto noHeap =
      allocateFromHeap({"null", "/dev/null", HeapClass::Protected, Refusal::None, 0, std::nullopt}, 4096);
  ASSERT_FALSE(noHeap);
  EXPECT_EQ(refusalOf(noHeap.error(), Refusal::None), Refusal::HeapFailed);
  EXPECT_EQ(noHeap.error().text(),
            "DMA_HEAP_IOCTL_ALLOC /dev/null (4096 bytes): HeapFailed: the heap failed: ENOTTY (25)");
}

TEST(HeapAllocator, WithoutAHeapTellsTheExplanation) {
  const auto buffer = allocateBuffer(video, heaps({"system"}), HeapTable());
  ASSERT_FALSE(buffer);
  EXPECT_EQ(refusalOf(buffer.error(), Refusal::None), Refusal::HeapAbsent);
  EXPECT_TRUE(buffer.error().text().starts_with("choose heap for 1920x1080 NV12: HeapAbsent: "))
      << buffer.error().text();
  EXPECT_TRUE(buffer.error().text().contains("no heap of class protected")) << buffer.error().text();
}

} // namespace
} // namespace vitrine
