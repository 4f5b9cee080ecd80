// One call of an operation on the CPU and on a device, from the same memory; all memory is compared
// afterwards.
#pragma once

#include <deque>

#include "kernels/support.hpp"

namespace test {

/// Host arrays that the arguments of one call point into.
class Arrays {
 public:
  template <class T> T* add(const std::vector<T>& v) {
    Region r{std::vector<char>(v.size() * sizeof(T)), std::is_same_v<T, double>  ? 2
                                                      : std::is_same_v<T, float> ? 1
                                                                                 : 0};
    r.bytes.resize(std::max<std::size_t>(r.bytes.size(), 1));
    if (!v.empty()) std::memcpy(r.bytes.data(), v.data(), v.size() * sizeof(T));
    regions_.push_back(std::move(r));
    return reinterpret_cast<T*>(regions_.back().bytes.data());
  }
  template <class T> T* add(Field<T> f) { return add(f.v); }

  /// Largest difference over largest value in any array, after the operation on the CPU and on
  /// Device; 1e300 when a second run on the device gives other bits.
  template <class Device, class Operation> double difference(const Operation& args) {
    const auto before = regions_;
    const auto first = on_device<Device>(args), second = on_device<Device>(args);
    if (first != second) return 1e300;
    rnx::run<cpu>({}, args);
    double worst = 0;
    for (std::size_t i = 0; i < regions_.size(); ++i) {
      if (regions_[i].kind == 1)
        worst = std::fmax(worst, compare<float>(first[i], regions_[i].bytes));
      else if (regions_[i].kind == 2)
        worst = std::fmax(worst, compare<double>(first[i], regions_[i].bytes));
      else if (first[i] != regions_[i].bytes)
        return 1e300;
      std::memcpy(regions_[i].bytes.data(), before[i].bytes.data(), before[i].bytes.size());
    }
    return worst;
  }

 private:
  struct Region {
    std::vector<char> bytes;
    int kind;
  };
  std::deque<Region> regions_;

  template <class Device, class Operation>
  std::vector<std::vector<char>> on_device(Operation args) {
    std::vector<char*> device;
    for (const Region& r : regions_) {
      device.push_back(static_cast<char*>(rnx::memory<Device>::allocate(r.bytes.size())));
      rnx::memory<Device>::upload(device.back(), r.bytes.data(), r.bytes.size());
    }
    const auto move = [&](auto*& pointer) {
      if (!pointer) return;
      for (std::size_t i = 0; i < regions_.size(); ++i) {
        const char* p = reinterpret_cast<const char*>(pointer);
        const char* begin = regions_[i].bytes.data();
        if (p >= begin && p < begin + regions_[i].bytes.size()) {
          pointer =
              reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(device[i] + (p - begin));
          return;
        }
      }
      FAIL("an argument points into no array");
    };
    std::apply([&](auto*&... pointer) { (move(pointer), ...); }, args.pointers());
    rnx::run<Device>({}, args);
    std::vector<std::vector<char>> result;
    for (std::size_t i = 0; i < regions_.size(); ++i) {
      result.emplace_back(regions_[i].bytes.size());
      rnx::memory<Device>::download(result.back().data(), device[i], result.back().size());
      rnx::memory<Device>::release(device[i]);
    }
    return result;
  }
  template <class T>
  static double compare(const std::vector<char>& found, const std::vector<char>& expected) {
    double difference = 0, size = 1e-300;
    for (std::size_t at = 0; at + sizeof(T) <= found.size(); at += sizeof(T)) {
      T a, b;
      std::memcpy(&a, &found[at], sizeof a);
      std::memcpy(&b, &expected[at], sizeof b);
      if (std::isnan(a) != std::isnan(b)) return 1e300;
      if (std::isnan(b) || a == b) continue;
      difference = std::fmax(difference, std::fabs(double(a) - double(b)));
      size = std::fmax(size, std::fabs(double(b)));
    }
    return difference / size;
  }
};

}  // namespace test
