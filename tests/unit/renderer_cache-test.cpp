#include <drm_fourcc.h>
#include <spdlog/sinks/ostream_sink.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "protected-path/base/log.h"
#include "tests/unit/renderer_fixture.h"
#include "tests/unit/vulkan_interposer.h"

// The file in which compiled pipelines are kept from one renderer to the next.

namespace vitrine::test {
namespace {

namespace fs = std::filesystem;

class PipelineCacheFile : public RendererTest {
protected:
  void SetUp() override {
    RendererTest::SetUp();
    if (IsSkipped()) return;
    std::string name = (fs::temp_directory_path() / "vitrine-cache-test.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    useCache(folder_);
  }
  void TearDown() override {
    unsetenv("XDG_CACHE_HOME");
    if (!folder_.empty()) fs::remove_all(folder_);
    RendererTest::TearDown();
  }
  static void useCache(const fs::path& folder) { ASSERT_EQ(setenv("XDG_CACHE_HOME", folder.c_str(), 1), 0); }

  struct Start {
    uint64_t given; ///< bytes, to the driver
    std::string said;
  };
  /** A renderer that makes pipelines and ends. */
  static Start start() {
    const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(said_);
    said_.str({});
    log("vulkan").sinks().push_back(sink);
    const uint64_t before = driverCalls().pipelineCacheBytes;
    auto own = newRenderer(true);
    const uint64_t given = driverCalls().pipelineCacheBytes - before;
    TestBuffer buffer = TestBuffer::from(Picture(16, 16), DRM_FORMAT_XRGB8888);
    const auto drawn = own->importTarget(buffer.dmabuf());
    EXPECT_TRUE(drawn) << drawn.error().text();
    EXPECT_EQ(own->counters().validationMessages, 0U);
    own.reset();
    std::erase(log("vulkan").sinks(), sink);
    return {given, said_.str()};
  }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder_ / "vitrine"))
      found.push_back(entry.path());
    return found;
  }
  static std::string contentOf(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator(stream), {}};
  }
  static void write(const fs::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  }
  static constexpr size_t headerBytes = 16; ///< before the driver's data

  fs::path folder_;
  static inline std::ostringstream said_;
};

TEST_F(PipelineCacheFile, isGivenToTheNextRenderersDriver) {
  EXPECT_EQ(start().given, 0U);
  ASSERT_EQ(files().size(), 1U) << "one file, and nothing that is half written";
  const fs::path file = files().front();
  EXPECT_TRUE(file.filename().string().starts_with("pipelines-")) << file;
  const uint64_t size = fs::file_size(file);
  ASSERT_GT(size, headerBytes);
  const Start second = start();
  EXPECT_EQ(second.given, size - headerBytes);
  EXPECT_EQ(second.said.find("warn"), std::string::npos) << second.said;
}

TEST_F(PipelineCacheFile, isIgnoredIfItIsDamagedOrForeign) {
  start();
  ASSERT_EQ(files().size(), 1U);
  const fs::path file = files().front();
  const std::string good = contentOf(file);
  std::string flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  std::string foreign = good;
  for (size_t i = 0; i < headerBytes; ++i)
    foreign[i] = 'x';
  for (const std::string& bad :
       {std::string(), good.substr(0, headerBytes), good.substr(0, good.size() - 1), flipped, foreign}) {
    write(file, bad);
    const Start next = start();
    EXPECT_EQ(next.given, 0U);
    EXPECT_NE(next.said.find(file.string() + ": damaged, or from another GPU or driver"), std::string::npos)
        << next.said;
    EXPECT_EQ(contentOf(file), good) << "it is replaced";
  }
}

TEST_F(PipelineCacheFile, isOfOneDevice) {
  start();
  ASSERT_EQ(files().size(), 1U);
  const fs::path file = files().front();
  const std::string good = contentOf(file);
  pretence().vendorId = 0x1af4;
  EXPECT_EQ(start().given, 0U) << "of a device that has no file yet";
  ASSERT_EQ(files().size(), 2U);
  for (const fs::path& other : files()) {
    if (other != file) write(other, good);
  }
  const Start next = start();
  pretence() = {};
  EXPECT_EQ(next.given, 0U) << "the right name, another device's data";
  EXPECT_NE(next.said.find("from another GPU or driver"), std::string::npos) << next.said;
}

TEST_F(PipelineCacheFile, isNotNeeded) {
  write(folder_ / "file", "");
  useCache(folder_ / "file");
  const Start without = start();
  EXPECT_EQ(without.given, 0U);
  EXPECT_NE(
      without.said.find("pipelines are not kept for the next start: create " + (folder_ / "file/vitrine").string()),
      std::string::npos)
      << without.said;
}

} // namespace
} // namespace vitrine::test
