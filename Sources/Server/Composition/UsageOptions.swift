package import Verification

/// How counts of verifications are written.
package typealias UsageOptions = UsageRecorder.Options
