// Which of several people is the patient: chosen over the first second in which faces are seen.
#pragma once

#include <optional>
#include <vector>

#include "geometry/types.hpp"

namespace dmask {

// left and right as in the picture; the last nine by their faces' sizes, the largest first.
enum class Person { largest, left, right, centre, smallest, n1, n2, n3, n4, n5, n6, n7, n8, n9 };

struct FacePlace {
  Vec2f centre = Vec2f::Zero();  // frame px
  float size_px = 0;             // side of the face's crop
};

// The same head, as it is seen twice within a moment.
bool same_place(const FacePlace& a, const FacePlace& b);

class ChosenPerson {
 public:
  explicit ChosenPerson(Person which) : which_(which) {}
  void start();

  // Adds a look at everybody in sight. Whom it is, by the means of all looks so far: an index into `faces`; none where
  // he is not among them, or where there are not so many people. Who was seen in few of the looks does not count.
  std::optional<int> look(const std::vector<FacePlace>& faces, const Vec2f& middle);

 private:
  struct Somebody {
    FacePlace last;
    float size_px = 0, x = 0, from_middle = 0;  // sums over the looks
    int looks = 0, index = -1;                  // the latter of the last look
  };
  float rank(const Somebody& person) const;  // the lower, the more he is the one

  Person which_;
  std::vector<Somebody> people_;
  int looks_ = 0;
};

}  // namespace dmask
