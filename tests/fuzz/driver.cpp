#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "tests/fuzz/target.h"

// Runs a fuzz target without libFuzzer, which needs clang's runtime: each file of a corpus as it is, and then mutations of them. What
// it does follows from the seed alone. A fault ends the process (build it with sanitizers), and the input is in the file `fuzz-input`.

namespace {

using Bytes = std::vector<uint8_t>;

std::vector<Bytes> readCorpus(const std::filesystem::path& folder) {
  std::vector<Bytes> corpus;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

/** One small change: a byte, a run of bytes taken out, put in or doubled, or the rest of another input. */
void mutate(Bytes& bytes, const std::vector<Bytes>& corpus, std::mt19937_64& dice) {
  const auto upTo = [&](size_t end) { return end == 0 ? size_t{0} : static_cast<size_t>(dice() % end); };
  const auto at = [&](size_t index) { return bytes.begin() + static_cast<std::ptrdiff_t>(index); };
  const size_t where = upTo(bytes.size());
  const size_t count = std::min(upTo(16) + 1, bytes.size() - where);
  switch (dice() % 6) {
  case 0:
    if (!bytes.empty()) bytes[where] = static_cast<uint8_t>(dice());
    break;
  case 1:
    if (!bytes.empty()) bytes[where] ^= static_cast<uint8_t>(1U << (dice() % 8));
    break;
  case 2:
    bytes.erase(at(where), at(where + count));
    break;
  case 3:
    bytes.insert(at(where), count + 1, static_cast<uint8_t>(dice()));
    break;
  case 4: {
    const Bytes run(at(where), at(where + count));
    bytes.insert(at(where), run.begin(), run.end());
    break;
  }
  default: {
    const Bytes& other = corpus[upTo(corpus.size())];
    bytes.resize(where);
    const size_t from = upTo(other.size());
    bytes.insert(bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
  }
  }
}

void run(const Bytes& input) {
  std::ofstream("fuzz-input", std::ios::binary)
      .write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  vitrine::fuzzOne(input);
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    std::fprintf(stderr, "usage: %s CORPUS [MUTATIONS [SEED]]\n", argv[0]);
    return 2;
  }
  const std::vector<Bytes> corpus = readCorpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no file in %s\n", argv[0], argv[1]);
    return 2;
  }
  const uint64_t mutations = argc > 2 ? std::strtoull(argv[2], nullptr, 0) : 20000;
  const uint64_t seed = argc > 3 ? std::strtoull(argv[3], nullptr, 0) : std::random_device{}();
  std::printf("# %zu inputs, %llu mutations, seed %llu\n", corpus.size(), static_cast<unsigned long long>(mutations),
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (const Bytes& input : corpus)
    run(input);
  std::mt19937_64 dice(seed);
  for (uint64_t i = 0; i < mutations; ++i) {
    Bytes input = corpus[dice() % corpus.size()];
    for (uint64_t changes = dice() % 8 + 1; changes > 0; --changes)
      mutate(input, corpus, dice);
    constexpr size_t longest = 8192;
    if (input.size() > longest) input.resize(longest);
    run(input);
  }
  std::filesystem::remove("fuzz-input");
  return 0;
}
