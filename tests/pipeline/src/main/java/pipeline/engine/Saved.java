package pipeline.engine;

import java.io.IOException;
import java.io.Serializable;

/** A build as it is carried over to a new process. */
final class Saved implements Serializable {
    private static final long serialVersionUID = 1L;
    private final BuildState state;
    private final byte[] program;
    private final long time;

    private Saved(BuildState state, byte[] program, long time) {
        this.state = state;
        this.program = program;
        this.time = time;
    }

    static byte[] save(Build build) {
        try {
            return Pickle.write(new Saved(build.state(), Pickle.write(build.program()), build.clock().now()));
        } catch (IOException e) {
            throw new IllegalStateException("The program was saved a moment ago and cannot be saved now", e);
        }
    }

    /** Reads it into a new build object: first the state (it says which libraries to load), then the program. */
    static void restore(Build build, byte[] bytes) {
        try {
            Saved s = (Saved) Pickle.read(bytes, Saved.class.getClassLoader());
            build.clock().advanceTo(s.time);
            build.restoreState(s.state);
            build.restoreProgram((Program) Pickle.read(s.program, build.loaders().reload(build.settings().jenkinsfile)));
        } catch (IOException | ClassNotFoundException e) {
            throw new IllegalStateException("The saved build cannot be read", e);
        }
    }
}
