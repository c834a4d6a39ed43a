// Command cron-reference answers when the CronJob controller would start: it is the parser and the arithmetic that the controller uses.
//
// Each line of standard input is a question, tab separated: a time zone, a moment in Unix seconds, how many starts, an expression.
// Each answer is one line: the starts in Unix seconds, separated by blanks, or "refused". Fewer starts: there is none after the last one.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

func main() {
	questions, answers := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	defer answers.Flush()
	for questions.Scan() {
		fmt.Fprintln(answers, answer(strings.SplitN(questions.Text(), "\t", 4)))
	}
}

func answer(question []string) string {
	zone, err := time.LoadLocation(question[0])
	if err != nil {
		return "no zone: " + err.Error()
	}
	after, count := number(question[1]), number(question[2])
	// As the controller does for a CronJob with a time zone.
	schedule, err := cron.ParseStandard("TZ=" + question[0] + " " + question[3])
	if err != nil {
		return "refused"
	}
	var starts []string
	for start := time.Unix(int64(after), 0).In(zone); len(starts) < count; {
		if start = schedule.Next(start); start.IsZero() {
			break
		}
		starts = append(starts, strconv.FormatInt(start.Unix(), 10))
	}
	return strings.Join(starts, " ")
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return value
}
