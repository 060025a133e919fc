// What of the patient is in the picture.
#pragma once

namespace dmask {

enum class View { automatic, face, eyes, eye };  // eyes: one or two
enum class Side { automatic, od, os };           // which eye a picture of one shows
enum class Laterality { none, od, os };          // none: both eyes are seen, or nobody can say which one is

inline const char* laterality_text(Laterality side) {
  return side == Laterality::none ? "" : side == Laterality::od ? "od" : "os";
}

}  // namespace dmask
