package org.last9

/** One marker before it is sent: what it says and when it was. Immutable but for the shorter second try. */
class Marker implements Serializable {

    private static final long serialVersionUID = 1L

    /** When the step was called, on the controller's clock. */
    final long timestampMs
    /** `[id:, startedAtMs:]`, or null for a stop without a start. */
    final Map window
    /** The step's options as plain data. */
    final Map options
    /** How the block's body ended, as the contract has it; null for every other marker. */
    final Map body
    /** Less than `timeoutSeconds`, or null. */
    final Integer budgetSeconds

    Marker(Map options, Map window, long timestampMs, Map body = null, Integer budgetSeconds = null) {
        this.options = options
        this.window = window
        this.timestampMs = timestampMs
        this.body = body
        this.budgetSeconds = budgetSeconds
    }

    /** The very same marker with that much time to deliver it in; null: the usual time. */
    Marker within(Integer seconds) {
        return new Marker(options, window, timestampMs, body, seconds)
    }

}
