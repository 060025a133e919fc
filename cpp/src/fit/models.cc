#include "fit/models.hpp"

#include "models/container.hpp"

namespace dmask {

Models Models::load(const std::string& directory, const std::string& nets_directory) {
  Models m;
  m.face = FaceModel::load(directory + "/face.dmm");
  const Container convention = Container::read(nets_directory + "/landmarks.dmm");
  m.landmark_rows =
      LandmarkRows::from(m.face, Eigen::Map<const Points3f>(convention.numbers("offset_mm", {68, 3}), 68, 3));
  for (int eye = 0; eye < 2; ++eye) {
    m.eyelid[eye] = EyelidModel::load(directory + "/eyelid.dmm", static_cast<Eye>(eye));
    m.eyelid[eye].check_with(m.face, directory + "/eyelid.dmm");
    m.eyelid_rows[eye] = EyelidRows::from(m.eyelid[eye]);
  }
  return m;
}

}  // namespace dmask
