// The planner of one arena: blocks with life times, placed so that those alive together never
// overlap.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "rnx/tensor/tensor.hpp"

namespace rnx::inline RNX_ABI {

/// Collects requests and places them first-fit by size: O(k^2) in the number of blocks.
class ArenaPlan {
 public:
  /// A block of `elements` alive during [first, last]; returns its number.
  int request(std::size_t elements, int first, int last) {
    blocks_.push_back({round_up(elements, 16), first, last, 0});
    return int(blocks_.size()) - 1;
  }
  std::size_t offset(int block) const { return blocks_[block].offset; }
  std::size_t elements(int block) const { return blocks_[block].size; }

  /// Places every block; returns the size of the arena in elements.
  std::size_t place() {
    std::vector<int> order(blocks_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return blocks_[a].size > blocks_[b].size; });
    std::vector<const Block*> placed;  // by offset
    std::size_t total = 0;
    for (int i : order) {
      Block& b = blocks_[i];
      std::size_t at = 0;
      for (const Block* p : placed) {
        if (p->last < b.first || b.last < p->first) continue;
        if (at + b.size <= p->offset) break;
        at = std::max(at, p->offset + p->size);
      }
      b.offset = at;
      total = std::max(total, at + b.size);
      placed.insert(std::upper_bound(placed.begin(), placed.end(), at,
                                     [](std::size_t v, const Block* p) { return v < p->offset; }),
                    &b);
    }
    return total;
  }

 private:
  struct Block {
    std::size_t size;
    int first, last;
    std::size_t offset;
  };
  std::vector<Block> blocks_;
};

}  // namespace rnx::inline RNX_ABI
