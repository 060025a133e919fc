#include "detect/chosen_person.hpp"

#include <algorithm>

namespace dmask {

bool same_place(const FacePlace& a, const FacePlace& b) {
  return (a.centre - b.centre).norm() < 0.5f * std::max(a.size_px, b.size_px);
}

void ChosenPerson::start() {
  people_.clear();
  looks_ = 0;
}

std::optional<int> ChosenPerson::look(const std::vector<FacePlace>& faces, const Vec2f& middle) {
  ++looks_;
  for (Somebody& person : people_) person.index = -1;
  for (int i = 0; i < static_cast<int>(faces.size()); ++i) {
    const FacePlace& face = faces[i];
    auto known = std::find_if(people_.begin(), people_.end(), [&](const Somebody& person) {
      return person.index < 0 && same_place(person.last, face);
    });
    if (known == people_.end()) known = people_.insert(known, Somebody{});
    known->last = face;
    known->size_px += face.size_px;
    known->x += face.centre.x();
    known->from_middle += (face.centre - middle).norm();
    ++known->looks;
    known->index = i;
  }
  std::vector<const Somebody*> ordered;
  for (const Somebody& person : people_)
    if (2 * person.looks >= looks_) ordered.push_back(&person);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [&](const Somebody* a, const Somebody* b) { return rank(*a) < rank(*b); });
  const std::size_t place = which_ < Person::n1 ? 0 : static_cast<int>(which_) - static_cast<int>(Person::n1);
  if (place >= ordered.size() || ordered[place]->index < 0) return std::nullopt;
  return ordered[place]->index;
}

float ChosenPerson::rank(const Somebody& person) const {
  const float looks = static_cast<float>(person.looks);
  switch (which_) {
    case Person::left: return person.x / looks;
    case Person::right: return -person.x / looks;
    case Person::centre: return person.from_middle / looks;
    case Person::smallest: return person.size_px / looks;
    default: return -person.size_px / looks;
  }
}

}  // namespace dmask
