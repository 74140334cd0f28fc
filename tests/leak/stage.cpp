#include "tests/leak/stage.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "tests/leak/buffers.h"
#include "tests/leak/detector.h"

namespace vitrine::test {
namespace {

constexpr unsigned fairChoice = 10;             ///< this many scenes almost certainly contain every kind of frame
constexpr unsigned scenesBetweenSearches = 500; ///< between searches of the whole memory, which take seconds

/**
 * The platform's GPU is a library in this process. While it works on the secret, this process can read it. A leak
 * remains after the work.
 */
Search searchWhenAtRest(Search (*search)()) {
  constexpr int patience = 10;
  constexpr auto pause = std::chrono::milliseconds(50);
  Search result = search();
  for (int i = 0; i < patience && result.found; ++i) {
    std::this_thread::sleep_for(pause);
    result = search();
  }
  return result;
}

unsigned fromEnvironment(const char* name, unsigned otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? static_cast<unsigned>(std::strtoul(value, nullptr, 10)) : otherwise;
}

/** Whether the user repeats a run. */
bool repeated() {
  return std::getenv("VITRINE_LEAK_SEED") != nullptr;
}

} // namespace

std::optional<std::string> LeakStage::search() {
  const Search search = searchWhenAtRest(searchBuffers);
  account_.buffersSearched += search.buffers;
  return search.found;
}

bool hasRenderNode() {
  return access("/dev/dri/renderD128", F_OK) == 0;
}

unsigned leakSeed() {
  const unsigned seed = fromEnvironment("VITRINE_LEAK_SEED", std::random_device{}());
  std::cout << "# VITRINE_LEAK_SEED=" << seed << std::endl;
  return seed;
}

unsigned leakScenes(unsigned otherwise, bool validation) {
  const unsigned scenes = fromEnvironment("VITRINE_LEAK_SCENES", otherwise);
  return validation ? std::max(scenes / 10, repeated() ? 1U : fairChoice) : scenes;
}

void showScenes(LeakStage& stage, unsigned seed, unsigned scenes) {
  size_t bytesSearched = 0;
  for (unsigned i = 0; i < scenes; ++i) {
    std::mt19937 random(seed + i);
    const LeakScene scene = randomScene(random, LeakBuffers::extent);
    std::cout << "scene " << seed + i << std::endl; // flushed, so that a scene that hangs or crashes is known
    if (const auto leak = stage.show(scene)) {
      std::cout << "scene " << seed + i << ": " << *leak << "; making it small" << std::endl;
      const LeakScene small =
          shrink(scene, [&](const LeakScene& candidate) { return stage.show(candidate).has_value(); });
      FAIL() << "scene " << seed + i << ": " << *leak << "\nsmallest scene that leaks:\n" << describe(small);
    }
    ASSERT_FALSE(testing::Test::HasFailure()) << "scene " << seed + i << ":\n" << describe(scene);
    if (i % scenesBetweenSearches == scenesBetweenSearches - 1 || i + 1 == scenes) {
      const Search search = searchWhenAtRest(searchMemory);
      bytesSearched += search.bytes;
      ASSERT_FALSE(search.found) << *search.found << " after scene " << seed + i << ":\n" << describe(scene);
    }
  }
  const LeakStage::Account& account = stage.account();
  std::cout << "# " << scenes << " scenes, " << account.frames << " frames, " << account.inProtectedMemory
            << " in protected memory, " << account.captures << " captures, " << account.buffersSearched
            << " buffers and " << (bytesSearched >> 20) << " MiB of memory looked through, " << account.recoveries
            << " GPU resets\n";
  if (repeated()) return; // it need not contain every kind of frame
  if (hasRenderNode()) {
    EXPECT_GT(account.inProtectedMemory, scenes / 4) << "the scenes do not test what they are for";
  } else {
    EXPECT_EQ(account.inProtectedMemory, 0U) << "without a GPU, protected content is on planes only";
  }
  EXPECT_GT(account.captures, scenes / 4);
  EXPECT_GT(account.buffersSearched, account.frames) << "nothing was looked through";
}

} // namespace vitrine::test
