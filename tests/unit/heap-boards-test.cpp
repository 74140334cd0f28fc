#include <gtest/gtest.h>

#include <drm_fourcc.h>

#include <regex>

#include "protected-path/base/toml.h"
#include "protected-path/heap/heap_solver.h"

// The solver on boards that public sources describe (heap_boards.toml): does it take the heap that the board's own people would?

namespace vitrine {
namespace {

struct Board {
  std::string name;
  std::vector<Heap> heaps;
  std::vector<ConsumerFacts> consumers;
  std::string forProtected;
  std::string forOrdinary;
};

/** A link to one line, or to one mail. */
void expectSource(const std::string& board, const toml::table& entry) {
  static const std::regex link(R"(https://\S+(#L\d+|#n\d+|/pipermail/\S+/\d+\.html))");
  EXPECT_TRUE(std::regex_match(entry["source"].value_or(std::string()), link))
      << board << ": " << entry["name"].value_or(std::string());
}

Heap heapOf(const toml::table& entry, const HeapTable& table) {
  Heap heap{.name = entry["name"].value_or(std::string()), .evidence = {}};
  heap.node = "/dev/dma_heap/" + heap.name;
  heap.heapClass = table.classify(heap.name);
  heap.memory = table.memoryOf(heap.name);
  if (const auto showed = entry["showed"].value<std::string>()) {
    EXPECT_EQ(*showed, evidenceName(Evidence::Suspect)) << heap.name;
    heap.evidence = Evidence::Suspect;
  }
  return heap;
}

ConsumerFacts consumerOf(const toml::table& entry) {
  ConsumerFacts facts{.name = entry["name"].value_or(std::string())};
  facts.contiguous = entry["contiguous"].value_or(false);
  facts.strideAlignmentBytes = entry["stride"].value_or(1U);
  if (entry["content"].value_or(std::string()) == "protected") facts.content = ConsumerFacts::Content::ProtectedOnly;
  return facts;
}

std::vector<Board> boards() {
  const toml::parse_result file = toml::parse_file(HEAP_BOARDS);
  EXPECT_TRUE(file) << HEAP_BOARDS;
  const HeapTable table;
  std::vector<Board> all;
  for (const toml::node& node : *file.table()["board"].as_array()) {
    const toml::table& entry = *node.as_table();
    Board& board = all.emplace_back();
    board.name = entry["name"].value_or(std::string());
    EXPECT_FALSE(entry["why"].value_or(std::string()).empty()) << board.name;
    for (const toml::node& heap : *entry["heaps"].as_array()) {
      expectSource(board.name, *heap.as_table());
      board.heaps.push_back(heapOf(*heap.as_table(), table));
    }
    for (const toml::node& consumer : *entry["consumers"].as_array()) {
      expectSource(board.name, *consumer.as_table());
      board.consumers.push_back(consumerOf(*consumer.as_table()));
    }
    board.forProtected = entry["protected"].value_or(std::string("?"));
    board.forOrdinary = entry["ordinary"].value_or(std::string("?"));
  }
  return all;
}

/** The heap that is tried first; a consumer of protected content alone is none of an ordinary picture's. */
std::string choice(const Board& board, bool isProtected) {
  std::vector<ConsumerFacts> consumers = board.consumers;
  if (!isProtected)
    std::erase_if(consumers, [](const auto& one) { return one.content == ConsumerFacts::Content::ProtectedOnly; });
  const BufferRequest request{.size = {1920, 1080},
                              .fourcc = isProtected ? uint32_t{DRM_FORMAT_NV12} : uint32_t{DRM_FORMAT_XRGB8888},
                              .protectedContent = isProtected,
                              .consumers = consumers};
  const HeapChoice chosen = chooseHeap(request, board.heaps);
  EXPECT_EQ(chosen.candidates.size() + chosen.rejected.size(), board.heaps.size()) << board.name;
  for (const HeapVerdict& loser : chosen.rejected)
    EXPECT_FALSE(loser.words.empty()) << board.name << ": " << loser.heap.name;
  return chosen.candidates.empty() ? "" : chosen.candidates.front().heap.name;
}

TEST(HeapBoards, TakeTheHeapThatTheirPeopleWould) {
  const std::vector<Board> all = boards();
  EXPECT_GE(all.size(), 20U);
  for (const Board& board : all) {
    EXPECT_EQ(choice(board, true), board.forProtected) << board.name;
    EXPECT_EQ(choice(board, false), board.forOrdinary) << board.name;
  }
}

} // namespace
} // namespace vitrine
