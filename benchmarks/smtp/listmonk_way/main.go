// Sends a campaign as listmonk does: for each subscriber a template is filled, a MIME message is composed of it and
// pushed to a pool of connections, where an idle one takes it, one command after the other, with RSET after each.
//
//	go build -o listmonk_way main.go && ./listmonk_way PORT COUNT CONNECTIONS issue.json [starttls]
//
// issue.json has html and text with {{ name }} for values, and the values. Only the standard library. Prints the seconds
// and those of the CPU, and the most memory in MB.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"html/template"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/smtp"
	"net/textproto"
	"os"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	texttemplate "text/template"
	"time"
)

type issue struct {
	Subject, HTML, Text string
	Values              map[string]string
}

var slot = regexp.MustCompile(`\{\{ (\w+) \}\}`)

func part(to *multipart.Writer, kind string, body []byte) error {
	header := textproto.MIMEHeader{}
	header.Set("Content-Type", kind+"; charset=UTF-8")
	header.Set("Content-Transfer-Encoding", "quoted-printable")
	w, err := to.CreatePart(header)
	if err != nil {
		return err
	}
	encoded := quotedprintable.NewWriter(w)
	if _, err = encoded.Write(body); err != nil {
		return err
	}
	return encoded.Close()
}

// compose makes the message of one subscriber.
func compose(told *issue, html *template.Template, text *texttemplate.Template, number int) ([]byte, error) {
	values := map[string]string{}
	for name, value := range told.Values {
		values[name] = value
	}
	values["name"] = fmt.Sprintf("Reader %d", number)
	values["unsubscribe_url"] = fmt.Sprintf("%s%d", told.Values["unsubscribe_url"], number)
	var htmlBody, textBody, out bytes.Buffer
	if err := html.Execute(&htmlBody, values); err != nil {
		return nil, err
	}
	if err := text.Execute(&textBody, values); err != nil {
		return nil, err
	}
	parts := multipart.NewWriter(&out)
	for _, line := range [][2]string{
		{"From", "Daily Papers <papers@example.org>"},
		{"To", fmt.Sprintf("%s <reader%d@example.org>", mime.QEncoding.Encode("utf-8", values["name"]), number)},
		{"Subject", mime.QEncoding.Encode("utf-8", told.Subject)},
		{"Message-ID", fmt.Sprintf("<%d.%d@example.org>", time.Now().UnixNano(), number)},
		{"Date", time.Now().Format(time.RFC1123Z)},
		{"List-Unsubscribe", "<" + values["unsubscribe_url"] + ">"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "multipart/alternative; boundary=" + parts.Boundary()},
	} {
		fmt.Fprintf(&out, "%s: %s\r\n", line[0], line[1])
	}
	out.WriteString("\r\n")
	if err := part(parts, "text/plain", textBody.Bytes()); err != nil {
		return nil, err
	}
	if err := part(parts, "text/html", htmlBody.Bytes()); err != nil {
		return nil, err
	}
	return out.Bytes(), parts.Close()
}

func connect(port string, starttls bool) (*smtp.Client, error) {
	client, err := smtp.Dial("127.0.0.1:" + port)
	if err != nil {
		return nil, err
	}
	if starttls {
		return client, client.StartTLS(&tls.Config{InsecureSkipVerify: true})
	}
	return client, client.Hello("sender.example.org")
}

func send(client *smtp.Client, number int, message []byte) error {
	if err := client.Mail("papers@example.org"); err != nil {
		return err
	}
	if err := client.Rcpt(fmt.Sprintf("reader%d@example.org", number)); err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err = w.Write(message); err != nil {
		return err
	}
	if err = w.Close(); err != nil {
		return err
	}
	return client.Reset()
}

// spent is the CPU time of this process so far, in seconds.
func spent() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

var most = regexp.MustCompile(`VmHWM:\s+(\d+)`)

// memory is the most resident memory of this process so far, in MB.
func memory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	kilobytes, _ := strconv.ParseFloat(string(most.FindSubmatch(status)[1]), 64)
	return kilobytes / 1024
}

func main() {
	port := os.Args[1]
	count, _ := strconv.Atoi(os.Args[2])
	connections, _ := strconv.Atoi(os.Args[3])
	data, err := os.ReadFile(os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	told := &issue{}
	if err = json.Unmarshal(data, told); err != nil {
		log.Fatal(err)
	}
	html := template.Must(template.New("html").Parse(slot.ReplaceAllString(told.HTML, "{{ .$1 }}")))
	text := texttemplate.Must(texttemplate.New("text").Parse(slot.ReplaceAllString(told.Text, "{{ .$1 }}")))

	began, before := time.Now(), spent()
	idle := make(chan *smtp.Client, connections)
	for i := 0; i < connections; i++ {
		client, err := connect(port, len(os.Args) > 5)
		if err != nil {
			log.Fatal(err)
		}
		idle <- client
	}
	numbers := make(chan int)
	var workers sync.WaitGroup
	for i := 0; i < connections; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for number := range numbers {
				message, err := compose(told, html, text, number)
				if err != nil {
					log.Fatal(err)
				}
				client := <-idle
				if err = send(client, number, message); err != nil {
					log.Fatal(err)
				}
				idle <- client
			}
		}()
	}
	for number := 0; number < count; number++ {
		numbers <- number
	}
	close(numbers)
	workers.Wait()
	fmt.Println(time.Since(began).Seconds(), spent()-before, memory())
}
