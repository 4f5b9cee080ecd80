// A folder of images as a source: classes, files, faults, and the samples that Memory would give.
#include "rnx/data/image_folder.hpp"

#include <doctest/doctest.h>

#include "rnx/data/loader.hpp"
#include "support/encode.hpp"
#include "support/error_of.hpp"
#include "support/folder.hpp"

namespace {

using namespace rnx;
using data::ImageFolder;
using data::Split;

[[maybe_unused]] std::vector<std::uint8_t> noise(int count, int seed) {
  std::vector<std::uint8_t> pixels;
  const rng::Stream random(seed, Purpose::test);
  for (int i = 0; i < count; ++i) pixels.push_back(std::uint8_t(random.bits(i)));
  return pixels;
}

template <class E = FileError>
std::string refused(const std::filesystem::path& dir, Split split = Split::train,
                    const data::ImageFolderOptions& options = {}) {
  return support::error_of<E>([&] { ImageFolder folder(dir, split, options); });
}

}  // namespace

TEST_CASE("image folder: a folder that is not as it should be") {
  const support::Folder folder("images_faults");
  const auto in = [&](const std::string& name) {
    return (folder.path / name).string() + ": expected ";
  };
  CHECK(refused(folder.path / "none") == in("none") +
                                             "a folder with train/CLASS/ and test/CLASS/ or "
                                             "val/CLASS/, images in each, found no such folder");
  CHECK(refused(folder.path) ==
        in("train") + "a folder with a subfolder of images for each class, found no such folder");
  CHECK(refused(folder.path, Split::test) ==
        in("test") + "a folder with a subfolder of images for each class, found no such folder");
  folder.write("train/file.png", "x");
  CHECK(refused(folder.path) == in("train") + "a subfolder of images for each class, found none");
  folder.write("train/cat/readme.txt", "x");
  CHECK(refused(folder.path) == in("train/cat") + "images (.jpg, .jpeg, .png), found none");
  folder.write("val/dog/1.png", "x");
  CHECK(refused(folder.path, Split::test) ==
        in("val") + "the classes of " + (folder.path / "train").string() + ", found \"dog\"");
  folder.write("train/cat/1.png", "");
  folder.write("train/cat/2.JPEG", "GIF89a");
  const std::string first = (folder.path / "train/cat/1.png").string() +
                            ": expected a JPEG or PNG image, found an empty file";
  CHECK(refused(folder.path) ==
        in("train") + "2 images that can be read, found 2 that cannot, the first is " + first);
  CHECK(refused(folder.path, Split::train, {.skip_unreadable = true}) ==
        in("train") + "2 images that can be read, found 2 that cannot, the first is " + first);
  CHECK(refused<UsageError>(folder.path, Split::train, {.dims = {2, 8, 8}}) ==
        "ImageFolder: expected dims of 1 or 3 channels, found (2, 8, 8)");
  for (const int threads : {-1, 1025})
    CHECK(refused<UsageError>(folder.path / "none", Split::train, {.threads = threads}) ==
          "ImageFolder: expected threads from 0 to 1024, found " + std::to_string(threads));
  CHECK(refused<UsageError>(folder.path, Split::train, {.dims = {3, 8, 9}, .resize = 8}) ==
        "ImageFolder: expected a resize from 9 to 4096, found 8");
}

TEST_CASE(
    "image list: what is no image is passed over and counted, links are followed, none of them for "
    "ever") {
  const support::Folder folder("image_list"), elsewhere("image_list_linked");
  for (const char* name : {"cat/1.png", "cat/.1.png", "cat/2.WEBP", "cat/3.webp", "cat/README",
                           "dog/deep/4.JPG", "list.txt", ".git/5.png"})
    folder.write(std::string("train/") + name, "x");
  elsewhere.write("6.jpeg", "x");
  const auto cat = folder.path / "train/cat";
  std::filesystem::create_directory_symlink(elsewhere.path, cat / "linked");
  std::filesystem::create_directory_symlink(folder.path / "train", cat / "back");
  std::filesystem::create_symlink(elsewhere.path / "6.jpeg", cat / "7.jpg");
  const data::ImageList list(folder.path, Split::train);
  std::vector<std::string> paths;
  for (const auto& file : list.files()) paths.push_back(file.path);
  CHECK(paths ==
        std::vector<std::string>{"cat/1.png", "cat/7.jpg", "cat/linked/6.jpeg", "dog/deep/4.JPG"});
  CHECK(list.passed_over_text() ==
        (folder.path / "train").string() +
            ": 7 files are passed over: 2 .webp, 2 hidden, 1 links to a folder that holds them, 1 "
            "outside a class folder, 1 without an extension");
  std::filesystem::remove_all(folder.path / "train");
  folder.write("train/cat/1.png", "x");
  CHECK(data::ImageList(folder.path, Split::train).passed_over_text().empty());
}

TEST_CASE("image list: a folder of test images alone is numbered by the classes that are given") {
  const support::Folder folder("image_list_names");
  folder.write("test/dog/1.png", "x");
  folder.write("test/owl/2.png", "x");
  const std::vector<std::string> trained{"owl", "cat", "dog"};
  const auto labels = [&](const std::vector<std::string>& names) {
    std::vector<int> of;
    const data::ImageList list(folder.path, Split::test, names);
    for (const auto& file : list.files()) of.push_back(file.label);
    return of;
  };
  CHECK(labels({}) == std::vector{0, 1});
  CHECK(labels(trained) == std::vector{0, 2});
  CHECK(data::ImageList(folder.path, Split::test, trained).class_names() == trained);
  CHECK(support::error_of<FileError>([&] {
          labels({"cat", "dog"});
        }) ==
        (folder.path / "test").string() + ": expected the 2 classes that are given, found \"owl\"");
  CHECK(support::error_of<UsageError>([&] {
          labels({"owl", "dog", "owl"});
        }) == "ImageList: expected each class name once, found \"owl\" twice");
  // a name is a name, and never a way out of the folder
  CHECK(support::error_of<FileError>([&] {
          labels({"../test/dog", "owl"});
        }).ends_with("found \"dog\""));
}

#ifdef RNX_HAS_PNG
TEST_CASE("image folder: images of a sample's size give what Memory gives") {
  const support::Folder folder("images_memory");
  data::Images images{.n = 0, .dims = {3, 7, 7}, .classes = 2};
  for (const char* name :
       {"train/ant/1.png", "train/ant/10.png", "train/ant/more/2.PNG", "train/bee/0.png"}) {
    const auto pixels = noise(147, images.n);
    images.pixels.insert(images.pixels.end(), pixels.begin(), pixels.end());
    images.labels.push_back(std::string(name).find("bee") != std::string::npos);
    folder.write(name, support::encode_png(7, 7, 3, pixels));
    ++images.n;
  }
  folder.write("train/bee/notes.txt", "x");
  folder.write("train/.hidden/0.png", "x");
  const data::Memory expected(images);
  const ImageFolder source(folder.path, Split::train, {.dims = {3, 7, 7}});
  REQUIRE(source.size() == 4);
  CHECK(source.dims() == Dims{3, 7, 7});
  CHECK(source.classes() == 2);
  CHECK(source.class_names() == std::vector<std::string>{"ant", "bee"});
  CHECK(source.path(2) == "ant/more/2.PNG");
  CHECK(source.skipped().empty());
  for (const data::Augment& a :
       {data::crop_and_flip(2), data::Augment{}, data::Augment{data::HorizontalFlip{}},
        data::Augment{data::RandomCrop{.pad = 3, .reflect = true}, data::Cutout{.size = 2}}})
    for (std::uint32_t id = 0; id < 4; ++id)
      for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
        std::vector<float> x(147, -1), y(147, -2);
        source.sample(id, a, {3, epoch, 1}, x.data());
        expected.sample(id, a, {3, epoch, 1}, y.data());
        CHECK(x == y);
        CHECK(source.label(id) == expected.label(id));
      }
  // test images of one class only keep the labels of train/
  std::filesystem::create_directories(folder.path / "test");
  CHECK(refused(folder.path, Split::test) ==
        (folder.path / "test").string() +
            ": expected a subfolder of images for each class, found none");
  folder.write("test/bee/5.png", support::encode_png(8, 6, 3, noise(144, 9)));
  const ImageFolder test(folder.path, Split::test);
  CHECK(test.size() == 1);
  CHECK(test.label(0) == 1);
  const ImageFolder trained_elsewhere(folder.path, Split::test,
                                      {.class_names = {"bee", "ant", "cow"}});
  CHECK(trained_elsewhere.label(0) == 0);
  CHECK(trained_elsewhere.classes() == 3);
}

TEST_CASE(
    "image folder: the shorter side is resized, then the centre or a random window is cut out") {
  const support::Folder folder("images_resize");
  const auto pixels = noise(20 * 30 * 3, 1);
  folder.write("train/a/0.png", support::encode_png(20, 30, 3, pixels));
  folder.write("train/b/0.png", support::encode_png(1, 40, 1, noise(40, 2)));
  const ImageFolder source(folder.path, Split::train, {.dims = {3, 8, 6}, .resize = 10});
  const data::Picture small = data::resize({20, 30, 3, pixels}, 10, 15);  // (10, 15, 3)
  const auto window = [&](int top, int left, bool flip) {
    std::vector<float> x;
    for (int y = 0; y < 8; ++y)
      for (int k = 0; k < 6; ++k)
        for (int c = 0; c < 3; ++c) {
          const int row = top + y, column = left + (flip ? 5 - k : k);
          x.push_back(row < 0 || row >= 10 || column < 0 || column >= 15
                          ? 0
                          : small.pixels[(row * 15 + column) * 3 + c] / 255.0f);
        }
    return x;
  };
  std::vector<float> x(144);
  source.sample(0, {}, {}, x.data());
  CHECK(x == window(1, 4, false));
  const data::Augment augment = data::crop_and_flip(1);
  int found = 0, flips = 0;
  std::vector<int> tops(4), lefts(11);
  for (int epoch = 0; epoch < 300; ++epoch) {
    source.sample(0, augment, {1, std::uint64_t(epoch)}, x.data());
    for (int top = -1; top <= 3; ++top)
      for (int left = -1; left <= 10; ++left)
        for (const bool flip : {false, true})
          if (x == window(top, left, flip)) {
            ++found;
            flips += flip;
            ++tops.at(std::clamp(top, 0, 3));
            ++lefts.at(std::clamp(left, 0, 10));
          }
  }
  CHECK(found == 300);
  CHECK(std::abs(flips - 150) < 40);
  for (const int count : tops) CHECK(count > 30);
  for (const int count : lefts) CHECK(count > 10);
  source.sample(1, augment, {1, 1}, x.data());  // 1 x 40 pixels become 10 x 400
  const data::Augment large = data::crop_and_flip(9);
  CHECK(support::error_of<UsageError>([&] {
          source.sample(0, large, {1, 1}, x.data());
        }) == "crop: expected a pad from 0 to 8, found 9");
  CHECK(support::error_of<UsageError>([&] { source.sample(2, {}, {}, x.data()); }) ==
        "ImageFolder: expected ids below 2, found 2");
}

TEST_CASE("image folder: unreadable images, damage and loss") {
  const support::Folder folder("images_damage");
  const std::string good = support::encode_png(9, 9, 3, noise(243, 1));
  for (int k = 0; k < 6; ++k)
    folder.write("train/a/" + std::to_string(k) + ".png", k == 2   ? "text"
                                                          : k == 4 ? good.substr(0, 20)
                                                                   : good);
  const std::string where = (folder.path / "train/a").string();
  const std::string first =
      where + "/2.png: expected a JPEG or PNG image, found other bytes at its begin";
  const std::string second =
      where + "/4.png: expected a whole PNG image, found an error: \"the file ends too early\"";
  for (const int threads : {1, 3}) {
    CHECK(refused(folder.path, Split::train, {.threads = threads}) ==
          (folder.path / "train").string() +
              ": expected 6 images that can be read, found 2 that cannot, the first is " + first);
    const ImageFolder source(folder.path, Split::train,
                             {.dims = {1, 8, 8}, .skip_unreadable = true, .threads = threads});
    CHECK(source.size() == 4);
    CHECK(source.skipped() == std::vector<std::string>{first, second});
    CHECK(source.path(2) == "a/3.png");
  }
  // a header alone does not show that the pixels are cut off
  folder.write("train/a/2.png", good);
  folder.write("train/a/4.png", good.substr(0, good.size() - 40));
  CHECK(ImageFolder(folder.path, Split::train, {.decode_all = false}).size() == 6);
  CHECK(refused(folder.path, Split::train, {})
            .find("found 1 that cannot, the first is " + where + "/4.png") != std::string::npos);
  CHECK(ImageFolder(folder.path, Split::train, {.skip_unreadable = true}).size() == 5);
  folder.write("train/a/4.png", good);
  const ImageFolder source(folder.path, Split::train);
  const std::string print = source.fingerprint();
  std::string lines;  // as docs/data.md says
  for (const char* name : {"0.png", "1.png", "2.png", "3.png", "4.png", "5.png"})
    lines += std::string("a/") + name + "\na\n" + std::to_string(good.size()) + "\n";
  CHECK(print == Checksum().add(lines).text());
  CHECK(print == ImageFolder(folder.path, Split::train, {.dims = {1, 4, 4}}).fingerprint());
  folder.write("train/a/1.png", good.substr(0, good.size() / 2));  // the header is whole
  std::filesystem::remove(folder.path / "train/a/3.png");
  std::vector<float> x(3 * 32 * 32);
  CHECK(support::error_of<FileError>([&] { source.sample(1, {}, {}, x.data()); }) ==
        where + "/1.png: expected a whole PNG image, found an error: \"the file ends too early\"");
  CHECK(support::error_of<FileError>([&] { source.sample(3, {}, {}, x.data()); }) ==
        where + "/3.png: cannot be opened: No such file or directory");
  CHECK(ImageFolder(folder.path, Split::train, {.decode_all = false}).fingerprint() != print);
  // through the loader, whatever the threads
  data::Loader loader(source,
                      {.batch = 2, .views = {data::Augment{}}, .shuffle = false, .threads = 2});
  CHECK(support::error_of<FileError>([&] { loader.next(); }) ==
        where + "/1.png: expected a whole PNG image, found an error: \"the file ends too early\"");
}

TEST_CASE("image folder: several threads read the same samples") {
  const support::Folder folder("images_threads");
  for (int k = 0; k < 9; ++k)
    folder.write("train/" + std::string(k % 2 ? "a" : "b") + "/" + std::to_string(k) + ".png",
                 support::encode_png(20 + k, 40 - k, 3, noise((20 + k) * (40 - k) * 3, k)));
  const ImageFolder source(folder.path, Split::train, {.dims = {3, 16, 16}, .resize = 18});
  data::Loader one(source, {.batch = 4, .seed = 5}),
      three(source, {.batch = 4, .seed = 5, .threads = 3}, 1, 2);
  std::vector<data::Batch> batches;
  for (int k = 0; k < 9; ++k) batches.push_back(one.next());
  for (int k = 5; k < 9; ++k) {
    const data::Batch& batch = three.next();
    CHECK(batch.ids == batches[k].ids);
    CHECK(batch.labels == batches[k].labels);
    CHECK(batch.views == batches[k].views);
  }
}
#endif

#ifdef RNX_HAS_JPEG
TEST_CASE("image folder: JPEG with a long header, and one that is decoded small") {
  const support::Folder folder("images_jpeg");
  const std::vector<std::uint8_t> grey(90 * 120, 77);
  const std::string bytes = support::encode_jpeg(90, 120, 1, grey);
  std::string comments;
  for (int k = 0; k < 2; ++k)
    comments += "\xFF\xFE\xFF\xFF" + std::string(65533, 'x');  // a comment of 65535 bytes
  folder.write("train/a/0.jpg", bytes);
  folder.write("train/a/1.jpg", bytes.substr(0, 2) + comments + bytes.substr(2));
  folder.write("train/a/2.jpg", bytes.substr(0, 2) + comments);
  CHECK(refused(folder.path)
            .find("/2.jpg: expected a whole JPEG image, found an error: \"Premature end of JPEG "
                  "file\"") != std::string::npos);
  const ImageFolder source(folder.path, Split::train,
                           {.dims = {1, 16, 16}, .skip_unreadable = true});
  REQUIRE(source.size() == 2);
  for (const std::uint32_t id : {0, 1}) {
    std::vector<float> x(256);
    source.sample(id, {}, {}, x.data());
    for (const float v : x) CHECK(std::abs(v - 77 / 255.0f) < 0.01f);
  }
}
#endif
