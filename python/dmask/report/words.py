"""What pages say, in each language: one table of words, and the sentences that measures and summaries say.

    say = Words("de")
    say("events.blink")                       # "Lidschlag"
    say("facts", frames=400)                  # with what belongs into it
    say.sentence("no such frame")             # "kein solches Bild"

Each key has its words in every language; the tests hold them against everything that is measured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

LANGUAGES = ("en", "de")

# By key: English, German.
WORDS: dict[str, tuple[str, str]] = {
    # The page
    "title": ("Eye and lid report", "Augen- und Lidbericht"),
    "title.compare": ("Two visits compared", "Zwei Untersuchungen im Vergleich"),
    "notice": ("Research use only; not a medical device. No diagnosis.",
               "Nur für die Forschung; kein Medizinprodukt. Keine Diagnose."),
    "skip": ("Skip to the findings", "Zu den Befunden springen"),
    "facts.duration": ("{seconds} s", "{seconds} s"),
    "facts.frames": ("{frames} frames", "{frames} Bilder"),
    "facts.rate": ("{rate} frames a second", "{rate} Bilder pro Sekunde"),
    "facts.profile": ("profile {profile}", "Profil {profile}"),
    "facts.seen": ("gaze measured: right {od}, left {os} of frames",
                   "Blick gemessen: rechts {od}, links {os} der Bilder"),
    "visit": ("Visit {letter}", "Untersuchung {letter}"),
    "visit.which": ("A: the first folder. B: the second.", "A: der erste Ordner. B: der zweite."),
    "theme.dark": ("Dark", "Dunkel"),
    "theme.light": ("Light", "Hell"),
    "section.flags": ("Mind this", "Zu beachten"),
    "section.glance": ("At a glance", "Auf einen Blick"),
    "section.recording": ("Mask and traces", "Maske und Verläufe"),
    "section.directions": ("Deviation by direction of gaze", "Abweichung nach Blickrichtung"),
    "section.nystagmus": ("Nystagmus", "Nystagmus"),
    "section.blinks": ("Blinks over time", "Lidschläge im Zeitverlauf"),
    "section.findings": ("All findings", "Alle Befunde"),
    "section.missing": ("Not measured", "Nicht gemessen"),
    "section.statements": ("To read these numbers", "Zum Verständnis der Zahlen"),
    "section.details": ("Settings, versions and models", "Einstellungen, Versionen und Modelle"),
    "section.changes": ("Changes", "Veränderungen"),
    "section.lasting": ("Without a number in one visit", "In einer Untersuchung ohne Zahl"),
    # Tables
    "column.measure": ("Measure", "Messgröße"),
    "column.eye": ("Eye", "Auge"),
    "column.value": ("Value", "Wert"),
    "column.reason": ("Reason", "Grund"),
    "column.change": ("Change, B − A", "B − A"),
    "column.name": ("Name", "Name"),
    "column.time": ("Time", "Zeit"),
    "column.sha256": ("sha256", "SHA-256"),
    "interval.short": ("{low} to {high}", "{low} bis {high}"),
    "n.short": ("n = {n}", "n = {n}"),
    "not_measured.why": ("not measured: {reason}", "nicht gemessen: {reason}"),
    "not_in_visit": ("not in this visit", "nicht in dieser Untersuchung"),
    "cell.note": ("Each value with its 95 % interval, and n: the frames, blinks or beats that it rests on.",
                  "Jeder Wert mit seinem 95-%-Intervall und n: den Bildern, Lidschlägen oder Schlägen, "
                  "auf denen er beruht."),
    "options.unlike": ("Unlike", "Ungleich"),
    "options.unlike.sentence": ("The visits were run or measured with unlike settings, and a change may "
                                "come of that: {names}.",
                                "Die Untersuchungen wurden mit ungleichen Einstellungen verarbeitet; "
                                "eine Veränderung kann daher rühren: {names}."),
    "not_validated": ("not validated", "nicht validiert"),
    "not_measured": ("not measured", "nicht gemessen"),
    "nothing_found": ("Nothing was measured.", "Es wurde nichts gemessen."),
    "nothing_missing": ("Every measure has a value.", "Jede Messgröße hat einen Wert."),
    "all_equal": ("No measure has a value in both visits.",
                  "Keine Messgröße hat in beiden Untersuchungen einen Wert."),
    "changes.note": ("A change is underlined where its interval leaves out zero. The intervals of both "
                     "visits are joined as if they were independent: what errs alike in both makes the "
                     "true interval narrower.",
                     "Eine Veränderung ist unterstrichen, wo ihr Intervall die Null ausschließt. Die "
                     "Intervalle beider Untersuchungen sind wie unabhängige verrechnet: Was in beiden "
                     "gleich irrt, macht das wahre Intervall enger."),
    "deviation.note": ("From what straight eyes show at this distance. Plus: the left eye points out (exo), "
                       "or higher, against the right. As the patient is seen: the right side is on the "
                       "left.",
                       "Gegen das, was gerade Augen in diesem Abstand zeigen. Plus: Das linke Auge weicht "
                       "nach außen (Exo) oder nach oben vom rechten ab. Wie man den Patienten sieht: Seine "
                       "rechte Seite ist links."),
    "deviation.none": ("No deviation was measured in any direction.",
                       "In keiner Richtung wurde eine Abweichung gemessen."),
    "horizontal.short": ("H", "H"),
    "vertical.short": ("V", "V"),
    # The player
    "mask": ("The mask", "Die Maske"),
    "mask.video": ("The mask of the recording, as a video", "Die Maske der Aufnahme als Video"),
    "mask.still": ("The mask of the recording, a still picture", "Die Maske der Aufnahme, ein Standbild"),
    "mask.absent": ("There is no mask in the folder.", "Im Ordner liegt keine Maske."),
    "mask.large": ("The mask is too large for this page and does not lie beside it: a still picture "
                   "stands for it.",
                   "Die Maske ist zu groß für diese Seite und liegt nicht neben ihr: Ein Standbild "
                   "steht für sie."),
    "mask.grey": ("Grey was not measured.", "Grau ist nicht gemessen."),
    "mask.lost": ("The mask does not play: keep mask.mp4 beside this page, or use another browser.",
                  "Die Maske lässt sich nicht abspielen: mask.mp4 neben diese Seite legen oder einen "
                  "anderen Browser nehmen."),
    "play": ("Play", "Abspielen"),
    "pause": ("Pause", "Anhalten"),
    "back": ("One frame back", "Ein Bild zurück"),
    "forth": ("One frame on", "Ein Bild vor"),
    "speed": ("Speed", "Tempo"),
    "zoom.in": ("Zoom in", "Vergrößern"),
    "zoom.out": ("Zoom out", "Verkleinern"),
    "zoom.all": ("Whole recording", "Ganze Aufnahme"),
    "position": ("Time in the recording", "Zeit in der Aufnahme"),
    "controls": ("Playing", "Wiedergabe"),
    "time": ("{time} of {all} {unit}", "{time} von {all} {unit}"),
    "frame": ("frame {frame}", "Bild {frame}"),
    "keys": ("Space plays, arrow keys step a frame. Click a trace to go there, drag to zoom, "
             "double-click to see all.",
             "Leertaste spielt ab, Pfeiltasten gehen ein Bild weiter. Klick in einen Verlauf springt "
             "dorthin, Ziehen vergrößert, Doppelklick zeigt alles."),
    "no_script": ("Playing and zooming need JavaScript; the traces stand still without it.",
                  "Abspielen und Vergrößern brauchen JavaScript; ohne es stehen die Verläufe still."),
    "decimated": ("Of every {frames} frames the lowest and the highest value are drawn.",
                  "Von je {frames} Bildern sind der kleinste und der größte Wert gezeichnet."),
    "as_table": ("The traces as a table", "Die Verläufe als Tabelle"),
    "as_table.note": ("Median of each part of the recording.", "Median jedes Teils der Aufnahme."),
    "plot.label": ("{plot}, {unit}, over {seconds} s: {series}",
                   "{plot}, {unit}, über {seconds} s: {series}"),
    "plot.series": ("{series} from {low} to {high}, median {median}",
                    "{series} von {low} bis {high}, Median {median}"),
    "plot.empty": ("{series} not measured", "{series} nicht gemessen"),
    "plot.yaw": ("Gaze, horizontal", "Blick waagerecht"),
    "plot.pitch": ("Gaze, vertical", "Blick senkrecht"),
    "plot.mrd1": ("Upper lid, MRD1", "Oberlid, MRD1"),
    "plot.fissure": ("Palpebral fissure", "Lidspalte"),
    "plot.openness": ("Openness of the lids", "Öffnung der Lider"),
    "plot.head": ("Head", "Kopf"),
    "series.head_yaw": ("turn", "Drehung"),
    "series.head_pitch": ("up and down", "auf und ab"),
    "series.head_roll": ("tilt", "Neigung"),
    "toward.yaw": ("+ to the patient's left", "+ zur linken Seite des Patienten"),
    "toward.pitch": ("+ up", "+ nach oben"),
    "toward.head": ("+ left, up, left side raised", "+ links, oben, linke Seite höher"),
    "toward.none": ("", ""),
    "shading": ("Shaded:", "Hinterlegt:"),
    "shade.blink": ("blink", "Lidschlag"),
    "shade.closure": ("longer closure", "längerer Lidschluss"),
    "shade.cover": ("covered", "abgedeckt"),
    "shade.halves": ("upper half right eye, lower half left eye",
                     "obere Hälfte rechtes, untere Hälfte linkes Auge"),
    "raster.label": ("Blinks of each minute, the right eye above, the left eye below: {od} and {os}.",
                     "Lidschläge je Minute, oben das rechte, unten das linke Auge: {od} und {os}."),
    "raster.minute": ("min {minute}", "min {minute}"),
    "raster.none": ("No blink was found.", "Es wurde kein Lidschlag gefunden."),
    "raster.complete": ("complete", "vollständig"),
    "raster.partial": ("partial", "unvollständig"),
    "nystagmus.spectrum": ("Spectrum, power by frequency", "Spektrum, Leistung nach Frequenz"),
    "nystagmus.beat": ("Averaged beat", "Gemittelter Schlag"),
    "nystagmus.beat.over": ("Averaged beat, of {length}", "Gemittelter Schlag von {length}"),
    "nystagmus.spectrum.label": ("{eye}, {axis}: spectrum, strongest at {peak} Hz",
                                 "{eye}, {axis}: Spektrum, am stärksten bei {peak} Hz"),
    "nystagmus.beat.label": ("{eye}, {axis}: averaged beat over {length}, {size} from end to end",
                             "{eye}, {axis}: gemittelter Schlag über {length}, {size} von Ende zu Ende"),
    # Eyes, events, conditions
    "eye.od": ("right (OD)", "rechts (OD)"),
    "eye.os": ("left (OS)", "links (OS)"),
    "eye.both": ("both (OU)", "beide (OU)"),
    "eye.long.od": ("Right eye (OD)", "Rechtes Auge (OD)"),
    "eye.long.os": ("Left eye (OS)", "Linkes Auge (OS)"),
    "eye.long.both": ("Both eyes", "Beide Augen"),
    "events.blink": ("blink", "Lidschlag"),
    "events.wink": ("wink", "einseitiger Lidschlag"),
    "events.closure": ("longer closure", "längerer Lidschluss"),
    "events.cover": ("cover", "Abdeckung"),
    "events.refixation": ("refixation", "Einstellbewegung"),
    "events.nystagmus": ("nystagmus", "Nystagmus"),
    "events.quick_phase": ("quick phase", "schnelle Phase"),
    "events.square_wave_jerk": ("square-wave jerk", "Gegenruck"),
    "condition.primary": ("straight ahead", "geradeaus"),
    "condition.up": ("up", "oben"),
    "condition.down": ("down", "unten"),
    "condition.right": ("right", "rechts"),
    "condition.left": ("left", "links"),
    "condition.up_right": ("up right", "rechts oben"),
    "condition.up_left": ("up left", "links oben"),
    "condition.down_right": ("down right", "rechts unten"),
    "condition.down_left": ("down left", "links unten"),
    "condition.horizontal": ("horizontal", "waagerecht"),
    "condition.vertical": ("vertical", "senkrecht"),
    "condition.closure": ("closed", "geschlossen"),
    "condition.gentle_closure": ("gently closed", "sanft geschlossen"),
    "condition.forced_closure": ("squeezed shut", "zugekniffen"),
    "condition.alternate_cover": ("alternate cover", "wechselnd abgedeckt"),
    "condition.other_covered": ("the other eye covered", "das andere Auge abgedeckt"),
    "condition.uncovered": ("uncovered", "aufgedeckt"),
    "group.lids": ("Lids", "Lider"),
    "group.blinks": ("Blinks", "Lidschläge"),
    "group.alignment": ("Alignment", "Augenstellung"),
    "group.cover": ("Cover tests", "Abdecktests"),
    "group.nystagmus": ("Nystagmus", "Nystagmus"),
    "group.fixation": ("Fixation", "Fixation"),
    "group.pursuit": ("Pursuit", "Folgebewegung"),
    "group.saccades": ("Saccades", "Sakkaden"),
    "group.head": ("Head", "Kopf"),
    "group.face": ("Face", "Gesicht"),
    "group.jaw": ("Jaw", "Kiefer"),
    "group.quality": ("Data quality", "Datenqualität"),
    "group.signs": ("Signs, a screening aid", "Zeichen, eine Hilfe zur Vorauswahl"),
    # Measures
    "measure.lids.mrd1_mm": ("MRD1, pupil to upper lid", "MRD1, Pupille bis Oberlid"),
    "measure.lids.mrd2_mm": ("MRD2, pupil to lower lid", "MRD2, Pupille bis Unterlid"),
    "measure.lids.fissure_mm": ("Palpebral fissure", "Lidspalte"),
    "measure.lids.asymmetry_mrd1_mm": ("Asymmetry, MRD1 left less right",
                                       "Asymmetrie, MRD1 links minus rechts"),
    "measure.lids.upper_margin_beyond_limbus_mm": ("Upper lid above the limbus", "Oberlid über dem Limbus"),
    "measure.lids.lower_margin_beyond_limbus_mm": ("Lower lid below the limbus", "Unterlid unter dem Limbus"),
    "measure.lids.scleral_show_above_mm": ("White above the limbus", "Sklera über dem Limbus sichtbar"),
    "measure.lids.scleral_show_below_mm": ("White below the limbus", "Sklera unter dem Limbus sichtbar"),
    "measure.lids.ptosis_grade": ("Ptosis", "Ptosis"),
    "measure.lids.retraction_grade": ("Lid retraction", "Lidretraktion"),
    "measure.lids.levator_excursion_mm": ("Levator excursion", "Levatorfunktion (Lidhebung)"),
    "measure.lids.levator_gaze_range_deg": (
        "Gaze range of the levator excursion",
        "Blickumfang der Lidhebung",
    ),
    "measure.lids.brow_motion_share": ("Brow motion from down- to upgaze",
                                       "Brauenbewegung von Ab- zu Aufblick"),
    "measure.lids.lag_down_mm": ("Lid lag in downgaze", "Zurückbleiben des Lides im Abblick"),
    "measure.lids.lag_moving_mm": ("Lid lag while the eye moves", "Zurückbleiben des Lides in Bewegung"),
    "measure.lids.fatigue_mm_per_min": ("Drift of MRD1 in sustained upgaze",
                                        "Abfall von MRD1 im gehaltenen Aufblick"),
    "measure.lids.contour_peak_mm": ("Peak of the upper lid, temporal of the pupil",
                                     "Scheitel des Oberlids, temporal der Pupille"),
    "measure.lids.lateral_flare_ratio": ("Lateral flare, temporal to nasal",
                                         "Laterale Anhebung, temporal zu nasal"),
    "measure.lids.crease_height_mm": ("Height of the lid crease", "Höhe der Lidfalte"),
    "measure.lids.jaw_winking_mm": ("Jaw winking, MRD1 mouth open less shut",
                                    "Jaw-Winking, MRD1 Mund offen minus zu"),
    "measure.lids.lagophthalmos_mm": ("Lagophthalmos, fissure left on closure",
                                      "Lagophthalmus, Spalt bei Lidschluss"),
    "measure.blinks.rate_per_min": ("Blink rate", "Lidschlagfrequenz"),
    "measure.blinks.complete_share": ("Complete blinks", "Vollständige Lidschläge"),
    "measure.blinks.duration_s": ("Duration of a blink", "Dauer eines Lidschlags"),
    "measure.blinks.closing_s": ("Closing phase", "Schließphase"),
    "measure.blinks.opening_s": ("Opening phase", "Öffnungsphase"),
    "measure.blinks.amplitude_mm": ("Amplitude of a blink", "Amplitude eines Lidschlags"),
    "measure.blinks.interblink_s": ("Time between blinks", "Zeit zwischen Lidschlägen"),
    "measure.blinks.wink_count": ("Winks", "Einseitige Lidschläge"),
    "measure.blinks.longer_closure_count": ("Longer closures", "Längere Lidschlüsse"),
    "measure.alignment.deviation_horizontal_deg": ("Horizontal deviation", "Horizontale Abweichung"),
    "measure.alignment.deviation_vertical_deg": ("Vertical deviation", "Vertikale Abweichung"),
    "measure.alignment.deviation_horizontal_pd": (
        "Horizontal deviation, prism",
        "Horizontale Abweichung, Prismen",
    ),
    "measure.alignment.deviation_vertical_pd": ("Vertical deviation, prism", "Vertikale Abweichung, Prismen"),
    "measure.nystagmus.frequency_hz": ("Frequency", "Frequenz"),
    "measure.nystagmus.amplitude_deg": ("Amplitude", "Amplitude"),
    "measure.nystagmus.slow_phase_velocity_deg_per_s": (
        "Slow-phase velocity",
        "Geschwindigkeit der langsamen Phase",
    ),
    "measure.alignment.axes_horizontal_deg": (
        "Between the optical axes, horizontal",
        "Zwischen den optischen Achsen, horizontal",
    ),
    "measure.alignment.axes_vertical_deg": (
        "Between the optical axes, vertical",
        "Zwischen den optischen Achsen, vertikal",
    ),
    "measure.alignment.duction_deg": ("Duction", "Duktion"),
    "measure.alignment.version_grade": ("Version, −4 to +4", "Version, −4 bis +4"),
    "measure.alignment.hirschberg_horizontal_deg": ("Hirschberg, horizontal", "Hirschberg, horizontal"),
    "measure.alignment.hirschberg_vertical_deg": ("Hirschberg, vertical", "Hirschberg, vertikal"),
    "measure.alignment.head_turn_deg": ("Head turn", "Kopfdrehung"),
    "measure.alignment.head_chin_deg": ("Chin up", "Kinnhebung"),
    "measure.alignment.head_tilt_deg": ("Head tilt", "Kopfneigung"),
    "measure.alignment.head_steady_share": ("Head steady in its posture", "Kopf ruhig in seiner Haltung"),
    "measure.cover.deviation_horizontal_deg": ("Cover test, horizontal", "Abdecktest, horizontal"),
    "measure.cover.deviation_vertical_deg": ("Cover test, vertical", "Abdecktest, vertikal"),
    "measure.cover.deviation_horizontal_pd": (
        "Cover test, horizontal, prism",
        "Abdecktest, horizontal, Prismen",
    ),
    "measure.cover.deviation_vertical_pd": ("Cover test, vertical, prism", "Abdecktest, vertikal, Prismen"),
    "measure.cover.latency_s": ("Latency of refixation", "Latenz der Einstellbewegung"),
    "measure.cover.kind_class": ("Tropia or phoria", "Tropie oder Phorie"),
    "measure.cover.cover_count": ("Times covered", "Wie oft abgedeckt"),
    "measure.nystagmus.present_class": ("Nystagmus", "Nystagmus"),
    "measure.nystagmus.waveform_class": ("Waveform", "Form"),
    "measure.nystagmus.beat_direction_class": ("Beats towards", "Schlägt nach"),
    "measure.nystagmus.slow_phase_velocity_iqr_deg_per_s": (
        "Slow-phase velocity, between quartiles", "Geschwindigkeit der langsamen Phase, zwischen Quartilen",
    ),
    "measure.nystagmus.beats_count": ("Beats", "Schläge"),
    "measure.nystagmus.fit_r": ("Fit of the slow phases, r", "Anpassung der langsamen Phasen, r"),
    "measure.nystagmus.intensity_deg_per_s": ("Intensity", "Intensität"),
    "measure.nystagmus.signal_to_noise_ratio": ("Signal to noise", "Signal zu Rauschen"),
    "measure.nystagmus.onset_s": ("Start of the longest episode", "Beginn der längsten Episode"),
    "measure.nystagmus.episode_s": ("Longest episode", "Längste Episode"),
    "measure.nystagmus.spectral_peak_hz": ("Peak of the spectrum", "Gipfel des Spektrums"),
    "measure.nystagmus.head_speed_deg_per_s": (
        "Speed of the head beside it",
        "Geschwindigkeit des Kopfes dabei",
    ),
    "measure.nystagmus.conjugacy_r": ("Conjugacy, r", "Konjugiertheit, r"),
    "measure.nystagmus.null_zone_deg": ("Null zone", "Neutralzone"),
    "measure.fixation.longest_s": ("Longest fixation", "Längste Fixation"),
    "measure.fixation.bcea_deg2": ("Stability of fixation, BCEA 68 %", "Stabilität der Fixation, BCEA 68 %"),
    "measure.fixation.rms_s2s_deg": ("Precision, RMS from frame to frame", "Präzision, RMS von Bild zu Bild"),
    "measure.fixation.std_deg": ("Precision, standard deviation", "Präzision, Standardabweichung"),
    "measure.fixation.data_loss_share": ("Frames without gaze", "Bilder ohne Blick"),
    "measure.fixation.effective_frequency_hz": ("Frames with gaze a second", "Bilder mit Blick je Sekunde"),
    "measure.fixation.square_wave_jerks_per_min": ("Square-wave jerks", "Gegenrucke (square-wave jerks)"),
    "measure.fixation.main_sequence_5deg_deg_per_s": (
        "Peak velocity of a saccade of 5°", "Spitzengeschwindigkeit einer Sakkade von 5°",
    ),
    "measure.face.brow_raise_symmetry_ratio": (
        "Brow raise, weaker to stronger side",
        "Brauenheben, schwächere zu stärkerer Seite",
    ),
    "measure.face.smile_symmetry_ratio": (
        "Smile, weaker to stronger side",
        "Lächeln, schwächere zu stärkerer Seite",
    ),
    "measure.face.snarl_symmetry_ratio": (
        "Snarl, weaker to stronger side",
        "Nasenrümpfen, schwächere zu stärkerer Seite",
    ),
    "measure.face.pucker_shift_share": ("Mouth aside when puckered", "Mund seitwärts beim Spitzen"),
    "measure.face.jaw_opening_share": ("Jaw opening", "Kieferöffnung"),
    "measure.face.jaw_deviation_share": ("Jaw aside when open", "Kiefer seitwärts beim Öffnen"),
    "measure.face.eye_closure_symmetry_ratio": (
        "Lid closure, weaker to stronger side",
        "Lidschluss, schwächere zu stärkerer Seite",
    ),
    "measure.signs.ptosis_class": ("Sign: ptosis", "Zeichen: Ptosis"),
    "measure.signs.upper_retraction_class": (
        "Sign: upper lid retraction",
        "Zeichen: Retraktion des Oberlids",
    ),
    "measure.signs.lower_scleral_show_class": (
        "Sign: white below the limbus",
        "Zeichen: Sklera unter dem Limbus",
    ),
    "measure.signs.lid_lag_class": ("Sign: lid lag", "Zeichen: zurückbleibendes Lid"),
    "measure.signs.lagophthalmos_class": ("Sign: lagophthalmos", "Zeichen: Lagophthalmus"),
    "measure.signs.nystagmus_class": ("Sign: nystagmus", "Zeichen: Nystagmus"),
    "measure.signs.horizontal_deviation_class": ("Sign: horizontal squint", "Zeichen: horizontales Schielen"),
    "measure.signs.vertical_deviation_class": ("Sign: vertical squint", "Zeichen: vertikales Schielen"),
    # Values that are words
    "value.none": ("none", "keine"),
    "value.mild": ("mild", "leicht"),
    "value.moderate": ("moderate", "mäßig"),
    "value.severe": ("severe", "schwer"),
    "value.minor": ("minor", "gering"),
    "value.marked": ("marked", "deutlich"),
    "value.good": ("good", "gut"),
    "value.fair": ("fair", "mittel"),
    "value.poor": ("poor", "schlecht"),
    "value.jerk": ("jerk", "Rucknystagmus"),
    "value.pendular": ("pendular", "Pendelnystagmus"),
    "value.undetermined": ("undetermined", "unbestimmt"),
    "value.right": ("right", "rechts"),
    "value.left": ("left", "links"),
    "value.up": ("up", "oben"),
    "value.down": ("down", "unten"),
    "value.tropia": ("tropia", "Tropie"),
    "value.phoria": ("phoria", "Phorie"),
    "value.present": ("present", "vorhanden"),
    "value.absent": ("absent", "nicht vorhanden"),
    "value.yes": ("yes", "ja"),
    "value.no": ("no", "nein"),
    "value.joined": ("{low} to {high}", "{low} bis {high}"),
    # Units
    "unit.deg": ("°", "°"),
    "unit.deg2": ("deg²", "Grad²"),
    "unit.deg/s": ("°/s", "°/s"),
    "unit.deg/min": ("°/min", "°/min"),
    "unit.PD": ("PD", "pdpt"),
    "unit.mm": ("mm", "mm"),
    "unit.mm/s": ("mm/s", "mm/s"),
    "unit.mm/min": ("mm/min", "mm/min"),
    "unit.Hz": ("Hz", "Hz"),
    "unit.s": ("s", "s"),
    "unit.ms": ("ms", "ms"),
    "unit./min": ("/min", "/min"),
    "unit.points": ("percentage points", "Prozentpunkte"),
    "unit.%": ("%", "%"),
    "unit.1": ("", ""),
    "unit.": ("", ""),
    # Why a frame has no gaze
    "reason.closed": ("eye closed", "Auge geschlossen"),
    "reason.covered": ("eye covered", "Auge verdeckt"),
    "reason.low_resolution": ("eye too small in the picture", "Auge zu klein im Bild"),
    "reason.dark": ("too little light", "zu wenig Licht"),
    "reason.out_of_range": ("gaze out of range", "Blick außerhalb des Bereichs"),
    "reason.lost": ("lost", "verloren"),
    "reason.no_face": ("no face", "kein Gesicht"),
    "reason.another_person": ("another person", "eine andere Person"),
    "reason.not_in_view": ("not in the picture", "nicht im Bild"),
    "reason.dropped": ("frame dropped", "Bild ausgelassen"),
    "reason.unknown": ("unknown", "unbekannt"),
    # Flags: a heading each
    "flag.rolled": ("Head lies", "Kopf liegt"),
    "flag.turned": ("Head turned", "Kopf gedreht"),
    "flag.dark": ("Too dark", "Zu dunkel"),
    "flag.another_person": ("Another person", "Andere Person"),
    "flag.recognised_by_shape": ("Recognised by shape", "Nach der Form erkannt"),
    "flag.covered": ("Eye hidden", "Auge verdeckt"),
    "flag.low_resolution": ("Eye too small", "Auge zu klein"),
    "flag.unmeasured": ("Eye not measured", "Auge nicht gemessen"),
    "flag.short": ("Short", "Kurz"),
    "flag.low_frame_rate_blinks": ("Too slow for blinks", "Zu langsam für Lidschläge"),
    "flag.low_frame_rate_nystagmus": ("Too slow for nystagmus", "Zu langsam für Nystagmus"),
    "flag.calibration": ("Calibration doubtful", "Kalibrierung zweifelhaft"),
    "flag.mirrored_unknown": ("Sides", "Seiten"),
    # Details
    "details.settings": ("Thresholds of the measures", "Schwellen der Messgrößen"),
    "details.options": ("Options of the run", "Optionen des Laufs"),
    "details.versions": ("Versions", "Versionen"),
    "details.models": ("Models", "Modelle"),
    "details.definitions": ("Definitions and sources", "Definitionen und Quellen"),
    "details.measured_by": ("dmask that measured", "dmask, das gemessen hat"),
    "details.page_by": ("dmask that made this page", "dmask, das diese Seite gemacht hat"),
    "column.definition": ("Definition", "Definition"),
    "column.source": ("Source", "Quelle"),
}  # fmt: skip

# What measures, flags and summaries say in English, and its German; {} stands for what differs.
SENTENCES: tuple[tuple[str, str], ...] = (
    # Reasons of measures
    ("no such frame", "kein solches Bild"),
    ("no blink", "kein Lidschlag"),
    ("fewer than two blinks", "weniger als zwei Lidschläge"),
    ("fewer than {} frames have it", "weniger als {} Bilder haben es"),
    ("gaze went from {} to {} degrees; needs {} and {}",
     "der Blick ging von {} bis {} Grad; nötig sind {} und {}"),
    ("gaze does not move up and down by {} degrees a second for long enough",
     "der Blick geht nicht lange genug mit {} Grad pro Sekunde auf und ab"),
    ("the longest look up by {} degrees lasts {} s; needs {}",
     "der längste Aufblick um {} Grad dauert {} s; nötig sind {}"),
    ("the jaw opens by {} of its unit; needs {}, and --keep jaw",
     "der Kiefer öffnet sich um {} seiner Einheit; nötig sind {}, und --keep jaw"),
    ("both eyes are never measured together: {}", "beide Augen sind nie zugleich gemessen: {}"),
    ("fewer than {} frames look there", "in weniger als {} Bildern geht der Blick dorthin"),
    ("they never look straight ahead", "sie blicken nie geradeaus"),
    ("what straight eyes show depends on the distance, which is not known",
     "was gerade Augen zeigen, hängt vom Abstand ab, der nicht bekannt ist"),
    ("the eyes turn {} degrees that way; needs {}", "die Augen gehen {} Grad dorthin; nötig sind {}"),
    ("nobody said that a lamp is beside the lens: --lamp camera",
     "niemand sagte, dass eine Lampe neben dem Objektiv ist: --lamp camera"),
    ("no corneal reflex in both eyes, or below 0.5 px a degree",
     "kein Hornhautreflex in beiden Augen, oder unter 0,5 px je Grad"),
    ("no face in enough frames", "in zu wenigen Bildern ein Gesicht"),
    ("no eye was covered", "kein Auge wurde abgedeckt"),
    ("one eye was never covered while the other was open",
     "ein Auge wurde nie abgedeckt, während das andere offen war"),
    ("needs {} covers of each eye while the other is open",
     "nötig sind {} Abdeckungen jedes Auges, während das andere offen ist"),
    ("the eyes do not keep still to within what a cover test tells",
     "die Augen stehen nicht still genug für einen Abdecktest"),
    ("the eyes are not seen together", "die Augen sind nicht zugleich zu sehen"),
    ("vertical gaze is not known", "der senkrechte Blick ist nicht bekannt"),
    ("too few frames a second", "zu wenige Bilder pro Sekunde"),
    ("no eye moved", "kein Auge bewegte sich"),
    ("cover was never passed from one eye to the other in sight of both",
     "die Abdeckung ging nie in Sicht beider Augen von einem zum anderen"),
    ("the other eye was not seen before and after", "das andere Auge war davor oder danach nicht zu sehen"),
    ("no eye was seen at once when it was uncovered", "kein Auge war beim Aufdecken gleich zu sehen"),
    ("there is no track, which has how the face moves",
     "ohne track.dmask ist die Bewegung des Gesichts nicht bekannt"),
    ("the face moves by {} of the unit; needs {}",
     "das Gesicht bewegt sich um {} der Einheit; nötig sind {}"),
    ("{} reaches {} of its unit; needs {}", "{} erreicht {} seiner Einheit; nötig sind {}"),
    ("no blink or closure in sight of both eyes", "kein Lidschlag oder Lidschluss in Sicht beider Augen"),
    ("its interval, {} to {}, holds the threshold of {}",
     "das Intervall, {} bis {}, enthält die Schwelle {}"),
    ("not measured here", "hier nicht gemessen"),
    ("absent", "nicht vorhanden"),
    ("gaze is seen for {} s between blinks; needs {}",
     "zwischen Lidschlägen ist der Blick {} s zu sehen; nötig sind {}"),
    ("the head's angle is not known: its reflexes cannot be told from beats",
     "der Winkel des Kopfes ist nicht bekannt: Reflexe sind nicht von Schlägen zu trennen"),
    ("the head's angle is not known", "der Winkel des Kopfes ist nicht bekannt"),
    ("amplitude {} degrees at {} of noise a frame; needs {}",
     "Amplitude {} Grad bei {} Rauschen je Bild; nötig sind {}"),
    ("the eyes move with the head, for {} of {} s", "die Augen bewegen sich mit dem Kopf, in {} von {} s"),
    ("noise of {} degrees a frame: beats under {} degrees are not seen; needs {}",
     "Rauschen von {} Grad je Bild: Schläge unter {} Grad sind nicht zu sehen; nötig sind {}"),
    ("noise of {} degrees a frame: intrusions under {} degrees are not seen; needs {}",
     "Rauschen von {} Grad je Bild: Rucke unter {} Grad sind nicht zu sehen; nötig sind {}"),
    ("pendular: there are no quick phases", "Pendelnystagmus: Es gibt keine schnellen Phasen"),
    ("the eyes swing at {} Hz: too quick for {} frames a second",
     "die Augen schwingen mit {} Hz: zu schnell für {} Bilder pro Sekunde"),
    ("the eyes swing at {} Hz: beats of more than {} Hz are not told",
     "die Augen schwingen mit {} Hz: Schläge von mehr als {} Hz werden nicht bestimmt"),
    ("the eyes jump {} times a second by {} degrees and more, too unevenly",
     "die Augen springen {}-mal pro Sekunde um {} Grad und mehr, zu ungleichmäßig"),
    ("{} frames a second: at {} Hz jerk is not told from pendular",
     "{} Bilder pro Sekunde: bei {} Hz ist Ruck nicht von Pendel zu trennen"),
    ("the eyes are far apart, and which of them fixates is not known",
     "die Augen stehen weit auseinander, und welches fixiert, ist nicht bekannt"),
    ("the eyes swing by {} degrees at {} Hz for {} s, too unevenly",
     "die Augen schwingen um {} Grad mit {} Hz, {} s lang, zu ungleichmäßig"),
    ("the eyes swing at {} Hz: they may follow something; needs {}",
     "die Augen schwingen mit {} Hz: Sie folgen vielleicht etwas; nötig sind {}"),
    ("the lid hides the pupil in {} of {} frames", "das Lid verdeckt die Pupille in {} von {} Bildern"),
    ("straight ahead for {} s; needs {}", "{} s lang geradeaus; nötig sind {}"),
    ("without a cover the eyes move by {} degrees, too",
     "auch ohne Abdeckung bewegen sich die Augen um {} Grad"),
    ("the eyes beat", "die Augen schlagen"),
    ("give --keep {}", "--keep {} angeben"),
    ("brows leave in every profile but strict", "Brauen gibt jedes Profil außer strict heraus"),
    ("beats go both ways", "Schläge gehen nach beiden Seiten"),
    ("waveform undetermined: its skewness is {}; jerk from {}, pendular to {}",
     "Form unbestimmt: Schiefe {}; Ruck ab {}, Pendel bis {}"),
    ("{} beats; needs {}", "{} Schläge; nötig sind {}"),
    ("no stretch of 1.5 s without a blink", "keine 1,5 s ohne Lidschlag"),
    ("both eyes are seen together in {} frames; needs {}",
     "beide Augen sind in {} Bildern zugleich zu sehen; nötig sind {}"),
    ("{} directions of gaze with {} beats or more; needs {}",
     "{} Blickrichtungen mit {} Schlägen oder mehr; nötig sind {}"),
    ("the intensity is much the same wherever the eyes look",
     "die Intensität ist überall fast gleich, wohin die Augen auch blicken"),
    ("gaze keeps to one place for {} s; needs {}", "der Blick bleibt {} s an einem Ort; nötig sind {}"),
    ("fewer than two frames", "weniger als zwei Bilder"),
    ("too few frames in a row", "zu wenige Bilder nacheinander"),
    ("the eye beats: its quick phases would be counted",
     "das Auge schlägt: Schnelle Phasen würden mitgezählt"),
    ("the eye beats: its quick phases are no saccades",
     "das Auge schlägt: Schnelle Phasen sind keine Sakkaden"),
    ("{} saccades of {} to {} degrees; needs {}", "{} Sakkaden von {} bis {} Grad; nötig sind {}"),
    ("saccades go from {} to {} degrees only", "Sakkaden gehen nur von {} bis {} Grad"),
    ("the lids are not closed for {} s", "die Lider sind nicht {} s lang geschlossen"),
    ("there is no track, which has how the brows move", "ohne track.dmask sind die Brauen nicht bekannt"),
    ("there is no track, which has how the jaw moves", "ohne track.dmask ist der Kiefer nicht bekannt"),
    ("{} frames a second; needs {}", "{} Bilder pro Sekunde; nötig sind {}"),
    ("withheld_by_profile: strict has no millimetres",
     "vom Profil zurückgehalten: strict hat keine Millimeter"),
    ("withheld_by_profile: frames are held for two seconds",
     "vom Profil zurückgehalten: Bilder werden zwei Sekunden lang festgehalten"),
    ("withheld_by_profile: in strict eyes and head rest in steps",
     "vom Profil zurückgehalten: In strict ruhen Augen und Kopf in Schritten"),
    ("withheld_by_profile: the lids of the track are generic",
     "vom Profil zurückgehalten: Die Lider in track.dmask sind allgemeine"),
    ("withheld_by_profile: {}", "vom Profil zurückgehalten: {}"),
    ("there is no track, which has how the lids lie",
     "ohne track.dmask ist die Lage der Lider nicht bekannt"),
    # Flags
    ("The head lies upside down in the picture (median roll {} degrees): turn the video.",
     "Der Kopf steht im Bild auf dem Kopf (mittlere Neigung {} Grad): das Video drehen."),
    ("The head lies on its side in the picture (median roll {} degrees): turn the video.",
     "Der Kopf liegt im Bild auf der Seite (mittlere Neigung {} Grad): das Video drehen."),
    ("In {} of the frames the head is turned by more than {} degrees; the far eye is measured worse.",
     "In {} der Bilder ist der Kopf um mehr als {} Grad gedreht; das fernere Auge wird schlechter "
     "gemessen."),
    ("In {} of the frames there is too little light to measure by.",
     "In {} der Bilder reicht das Licht nicht zum Messen."),
    ("More than one person is in the recording, in {} of the frames in the patient's place: check whose "
     "eyes were measured.",
     "Mehr als eine Person ist in der Aufnahme, in {} der Bilder an der Stelle des Patienten: prüfen, "
     "wessen Augen gemessen wurden."),
    ("{} people are in the recording, in {} of the frames in the patient's place: check whose eyes were "
     "measured.",
     "{} Personen sind in der Aufnahme, in {} der Bilder an der Stelle des Patienten: prüfen, wessen "
     "Augen gemessen wurden."),
    ("After a cut or a time out of sight a face was taken for the patient's once by its shape alone, "
     "which takes about one in eight others for him: check whose eyes were measured.",
     "Nach einem Schnitt oder einer Zeit außer Sicht galt ein Gesicht einmal allein nach seiner Form "
     "als das des Patienten; von acht anderen hielte sie etwa einen für ihn: prüfen, wessen Augen "
     "gemessen wurden."),
    ("After a cut or a time out of sight a face was taken for the patient's {} times by its shape alone, "
     "which takes about one in eight others for him: check whose eyes were measured.",
     "Nach einem Schnitt oder einer Zeit außer Sicht galt ein Gesicht {}-mal allein nach seiner Form "
     "als das des Patienten; von acht anderen hielte sie etwa einen für ihn: prüfen, wessen Augen "
     "gemessen wurden."),
    ("In {} of the frames something hides the right eye.",
     "In {} der Bilder verdeckt etwas das rechte Auge."),
    ("In {} of the frames something hides the left eye.", "In {} der Bilder verdeckt etwas das linke Auge."),
    ("In {} of the frames the right eye is too small in the picture for its direction: come closer.",
     "In {} der Bilder ist das rechte Auge für seine Richtung zu klein: näher herangehen."),
    ("In {} of the frames the left eye is too small in the picture for its direction: come closer.",
     "In {} der Bilder ist das linke Auge für seine Richtung zu klein: näher herangehen."),
    ("In {} of the frames the right eye is not measured.",
     "In {} der Bilder ist das rechte Auge nicht gemessen."),
    ("In {} of the frames the left eye is not measured.",
     "In {} der Bilder ist das linke Auge nicht gemessen."),
    ("The recording lasts {} s; of less than {} s rates say little.",
     "Die Aufnahme dauert {} s; unter {} s sagen Häufigkeiten wenig."),
    ("At {} frames a second blinks may be missed, and complete ones seem partial; {} or more are needed.",
     "Bei {} Bildern pro Sekunde können Lidschläge fehlen und vollständige unvollständig scheinen; "
     "nötig sind {} oder mehr."),
    ("At {} frames a second a nystagmus of a few beats a second cannot be told from noise, or seems "
     "slower than it is; {} or more are needed.",
     "Bei {} Bildern pro Sekunde ist ein Nystagmus von wenigen Schlägen pro Sekunde nicht vom Rauschen "
     "zu unterscheiden oder scheint langsamer; nötig sind {} oder mehr."),
    ("The patient's constants are doubtful: {}.", "Die Konstanten des Patienten sind zweifelhaft: {}."),
    ("Whether the video is mirrored, as selfies may be, cannot be told from the picture: if it is, OD "
     "and OS, left and right are exchanged.",
     "Ob das Video gespiegelt ist, wie Selbstaufnahmen es sein können, ist am Bild nicht zu erkennen: "
     "Dann sind OD und OS, links und rechts vertauscht."),
    # Statements
    ("The profile tells how head, eyes and lids move, and where they rest in steps of 15 degrees: a "
     "deviation between the eyes, or a head that is turned, may be another by 7.5 degrees.",
     "Das Profil sagt, wie Kopf, Augen und Lider sich bewegen, und ihre Ruhelage in Schritten von 15 "
     "Grad: Eine Abweichung zwischen den Augen oder eine Kopfdrehung kann um 7,5 Grad anders sein."),
    ("The profile tells angles in steps of 30 degrees, and of every two seconds one frame: they are no "
     "measurements.",
     "Das Profil gibt Winkel in Schritten von 30 Grad und von je zwei Sekunden ein Bild: Es sind keine "
     "Messungen."),
    ("Eyes that are too small in the picture to be measured (low_resolution) are drawn as the nets saw "
     "them, in coarse steps where the profile has them: a squint or a lid half shut in the mask may be "
     "noise.",
     "Augen, die zum Messen zu klein im Bild sind, sind so gezeichnet, wie die Netze sie sahen, in groben "
     "Schritten, wo das Profil welche hat: Ein Schielen oder halb geschlossenes Lid in der Maske kann "
     "Rauschen sein."),
    ("reflex_yaw_deg, reflex_pitch_deg and by_corneal_reflex rest on what the user said: that the light "
     "which the corneas mirror is beside the lens. A lamp elsewhere shifts both eyes, a near one by "
     "unlike angles.",
     "Der Blick nach den Hornhautreflexen beruht auf der Angabe, dass das Licht, das die Hornhäute "
     "spiegeln, neben dem Objektiv ist. Eine Lampe anderswo verschiebt beide Augen, eine nahe um ungleiche "
     "Winkel."),
    ("No corneal reflex was measured: below 0.5 px a degree, without a bright spot on the iris, or with "
     "several that may be the lamp, there is none.",
     "Kein Hornhautreflex wurde gemessen: unter 0,5 px je Grad, ohne hellen Punkt auf der Iris oder "
     "mit mehreren, die die Lampe sein können, gibt es keinen."),
    ("The gaze by the corneal reflexes is withheld by the profile.",
     "Den Blick nach den Hornhautreflexen hält das Profil zurück."),
    ("How often the lids blink, and how, is withheld by the profile: it tells people apart.",
     "Wie oft und wie die Lider schlagen, hält das Profil zurück: Daran sind Menschen zu unterscheiden."),
    ("Millimetres of the lids, and the iris's width, are withheld by the profile.",
     "Millimeter der Lider und die Breite der Iris hält das Profil zurück."),
    ("Millimetres assume an adult eye with an iris {} mm wide.",
     "Millimeter setzen ein Auge eines Erwachsenen mit einer {} mm breiten Iris voraus."),
    ("Millimetres assume an adult eye.", "Millimeter setzen ein Auge eines Erwachsenen voraus."),
    ("Millimetres assume eyes and a face of {} years with an iris {} mm wide.",
     "Millimeter setzen Augen und ein Gesicht von {} Jahren mit einer {} mm breiten Iris voraus."),
    ("Millimetres assume eyes and a face of {} years.",
     "Millimeter setzen Augen und ein Gesicht von {} Jahren voraus."),
    ("No fixating eye was named: absolute eye angles, and the deviation between the eyes, carry several "
     "degrees of uncertainty; changes are what is precise. Use --fixating with --at.",
     "Kein fixierendes Auge wurde genannt: Absolute Winkel und die Abweichung zwischen den Augen sind "
     "auf einige Grad unsicher; genau sind Änderungen. --fixating mit --at verwenden."),
    ("Eye angles rest on what the user said: fixating {} from {} to {} s.",
     "Die Augenwinkel beruhen auf der Angabe: fixiert {} von {} bis {} s."),
    ("Angles are of the optical axis in the head's frame; the visual axis differs from it by about 5 "
     "degrees, and by how much is not known without a fixation.",
     "Winkel sind die der optischen Achse im Kopfsystem; die Gesichtslinie weicht um etwa 5 Grad davon "
     "ab, und um wie viel, ist ohne Fixation nicht bekannt."),
    ("The camera's horizontal field of view is taken as {} degrees; another one shifts vergence by up to "
     "8 degrees.",
     "Als waagerechtes Bildfeld der Kamera gelten {} Grad; ein anderes verschiebt die Vergenz um bis "
     "zu 8 Grad."),
    ("noise_from_frame_to_frame is how much a value trembles where nothing moves: no movement below it "
     "can be told, nystagmus included.",
     "Das Rauschen von Bild zu Bild ist, wie sehr ein Wert zittert, wo sich nichts bewegt: Keine Bewegung "
     "darunter ist zu erkennen, auch kein Nystagmus."),
    ("Grey in the mask is what was not measured: a shield over an eye, a dull globe without a gaze.",
     "Grau ist in der Maske, was nicht gemessen wurde: eine Klappe über einem Auge, ein matter "
     "Augapfel ohne Blick."),
    ("Exophthalmos is not measured. Research use only; not a medical device.",
     "Exophthalmus wird nicht gemessen. Nur für die Forschung; kein Medizinprodukt."),
)  # fmt: skip
# Names of columns and fields in what measures and summaries say, and what a reader of a page calls them.
IN_PROSE: tuple[tuple[str, str], ...] = (
    ("withheld_by_profile: ", "withheld by the profile: "),
    ("noise_from_frame_to_frame is", "The noise from frame to frame is"),
    (" (low_resolution)", ""),
    ("reflex_yaw_deg, reflex_pitch_deg and by_corneal_reflex rest", "The gaze by the corneal reflexes rests"),
)
REASON = re.compile(r"^(\w+) in (\d+) of (\d+) frames$")


class Sentence(NamedTuple):
    text: str
    language: str  # English where nobody has translated it


class Words:
    def __init__(self, language: str = "en"):
        self.language = language
        self._column = LANGUAGES.index(language)

    def __call__(self, key: str, **parts: object) -> str:
        text = WORDS[key][self._column]
        return text.format(**parts) if parts else text

    def known(self, key: str) -> bool:
        return key in WORDS

    def measure(self, name: str, definition: str = "") -> str:
        """A measure of another package is called by its definition, or its own name."""
        key = f"measure.{name}"
        return self(key) if key in WORDS else definition or name.partition(".")[2].replace("_", " ")

    def or_plain(self, prefix: str, name: str) -> str:
        key = f"{prefix}.{name}"
        return self(key) if key in WORDS else name.replace("_", " ")

    def value(self, text: str) -> str:
        """A value that is a word: "mild", or "mild to moderate"."""
        low, joined, high = text.partition(" to ")
        if joined and f"value.{low}" in WORDS and f"value.{high}" in WORDS:
            return self("value.joined", low=self(f"value.{low}"), high=self(f"value.{high}"))
        return self.or_plain("value", text)

    def sentence(self, english: str) -> Sentence:
        """What a measure or a summary says, in this language where it is known."""
        if found := REASON.match(english):
            shown = self.or_plain("reason", found[1]), found[2], found[3]
            template = "{} in {} of {} frames" if self.language == "en" else "{} in {} von {} Bildern"
            return Sentence(template.format(*shown), self.language)
        for pattern, german in patterns() if self.language == "de" else ():
            if found := pattern.match(english):
                return Sentence(german.format(*(self.part(part) for part in found.groups())), self.language)
        for name, words in IN_PROSE:
            english = english.replace(name, words)
        return Sentence(english, "en")

    def part(self, text: str) -> str:
        """What differs in a sentence: a number, or a sentence of its own."""
        return self.sentence(text).text if " " in text and not text.endswith(" %") else self.number(text)

    def number(self, text: str) -> str:
        """A number within a sentence, as this language writes it."""
        if self.language == "de" and re.fullmatch(r"-?\d+\.\d+( %)?", text):
            return text.replace(".", ",")
        return {"less than 1 %": "weniger als 1 %"}.get(text, text) if self.language == "de" else text

    def table(self, keys: Mapping[str, Any] | tuple[str, ...]) -> dict[str, str]:
        return {key: self(key) for key in keys}


@lru_cache(maxsize=1)
def patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    found = []
    for english, german in SENTENCES:
        parts = [re.escape(part) for part in english.split("{}")]
        found.append((re.compile("^" + "(.+?)".join(parts) + "$"), german))
    return tuple(found)
