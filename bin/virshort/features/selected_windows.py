"""Some windows of a set, which are described as a set of their own."""

import numpy as np

from virshort.features.window_features import WindowFeatures


class SelectedWindows:
    """Windows of a set, in their order."""

    def __init__(self, windows: WindowFeatures, which: np.ndarray):
        """which: [k] ascending numbers of windows."""
        self.windows, self.which = windows, which

    def __len__(self) -> int:
        return len(self.which)

    @property
    def length(self) -> np.ndarray:
        """Length of the windows in bp, [k]."""
        return self.windows.length[self.which]

    def knows(self, name: str) -> bool:
        """Whether the manifests have this column, with values in it."""
        return self.windows.knows(name)

    def column(self, name: str) -> np.ndarray:
        """A numeric column of the manifests, [k]."""
        return self.windows.column(name)[self.which]

    def codes(self, name: str) -> tuple[np.ndarray, list[str]]:
        """A text column of the manifests as integer codes [k], and the sorted texts of these windows that they stand for."""
        code, texts = self.windows.codes(name)
        used, found = np.unique(code[self.which], return_inverse=True)
        return found, [texts[i] for i in used]
