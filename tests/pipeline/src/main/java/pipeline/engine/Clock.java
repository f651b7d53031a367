package pipeline.engine;

import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Time of a build. A virtual clock jumps to the next timer when nothing real is under way, so a sleeping pipeline costs no time;
 * the order of events is that of the real clock.
 */
public final class Clock {
    private record Timer(long at, long order, boolean look, Runnable what) {}

    private final boolean virtual;
    private long ahead;
    private int holds;
    private long heldAt;
    private long order;
    private final PriorityQueue<Timer> timers =
            new PriorityQueue<>(Comparator.comparingLong(Timer::at).thenComparingLong(Timer::order));

    public Clock(boolean virtual) {
        this.virtual = virtual;
    }

    /** Epoch milliseconds. */
    public long now() {
        return holds > 0 ? heldAt : System.currentTimeMillis() + ahead;
    }

    /** Runs it on the build's thread once that moment has come. */
    public void at(long epochMillis, Runnable what) {
        timers.add(new Timer(epochMillis, order++, false, what));
    }

    /** The same for a look at a process, which Jenkins has a thread of its own for. */
    void lookAt(long epochMillis, Runnable what) {
        timers.add(new Timer(epochMillis, order++, true, what));
    }

    /** Takes out the looks that are due. */
    List<Runnable> takeDueLooks() {
        List<Timer> due = timers.stream().filter(t -> t.look && t.at <= now()).sorted(timers.comparator()).toList();
        timers.removeAll(due);
        return due.stream().map(Timer::what).toList();
    }

    /** A virtual clock stands still, but for {@link #spend}, until {@link #go}: what a busy machine takes longer for is not charged to the build. */
    public void hold() {
        heldAt = now();
        holds += virtual ? 1 : 0;
    }

    /** The same at a moment that has just passed. */
    void holdAt(long epochMillis) {
        hold();
        heldAt = Math.min(heldAt, epochMillis);
    }

    /** So much time an idle machine would have taken, too. */
    public void spend(long millis) {
        heldAt += holds > 0 ? millis : 0;
    }

    /** The clock goes on. */
    public void go() {
        if (virtual && --holds == 0) {
            ahead = heldAt - System.currentTimeMillis();
        }
    }

    /** Jumps, even during a step. */
    void skip(long millis) {
        ahead += millis;
        heldAt += millis;
    }

    boolean hasTimers() {
        return !timers.isEmpty();
    }

    /** The next timer that is due, taken out; null if none is. With nothing else to wait for, a virtual clock makes the next one due. */
    Runnable takeDue(boolean nothingElse) {
        Timer next = timers.peek();
        if (next == null) {
            return null;
        }
        if (virtual && nothingElse && next.at > now()) {
            ahead += next.at - now();
        }
        return next.at <= now() ? timers.poll().what : null;
    }

    /** Milliseconds until the next timer, at most {@code limit}. */
    long untilNext(long limit) {
        Timer next = timers.peek();
        return next == null ? limit : Math.max(0, Math.min(limit, next.at - now()));
    }

    /** Goes on from a moment that this clock has not reached yet. */
    void advanceTo(long epochMillis) {
        ahead += Math.max(0, epochMillis - now());
    }
}
