"""Patients of the project's own making, with the truth beside them: rendered, or projected to landmarks."""

from dmask.synthetic.patient import Pose, SyntheticPatient

__all__ = ["Pose", "SyntheticPatient"]
